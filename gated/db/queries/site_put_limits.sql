-- The zone $2, or where that is null the facility, has exactly the limits $3, in this order.
WITH place AS (
    SELECT z.id AS zone_id FROM public.zones z WHERE z.facility_id = $1 AND z.code = $2::text
    UNION ALL
    SELECT NULL WHERE $2::text IS NULL
), gone AS (
    DELETE FROM gate.zone_limits l USING place
    WHERE l.facility_id = $1 AND l.zone_id IS NOT DISTINCT FROM place.zone_id
        AND l.position > jsonb_array_length($3::text::jsonb)
)
INSERT INTO gate.zone_limits (
    facility_id, zone_id, position, parker_group, stays_max, days, begins, ends
)
SELECT $1, place.zone_id, w.position, w.value ->> 'group', (w.value ->> 'stays_max')::integer,
    (SELECT array_agg(d.day ORDER BY d.position)
     FROM jsonb_array_elements_text(w.value -> 'days') WITH ORDINALITY d (day, position)),
    w.value ->> 'from', w.value ->> 'until'
FROM place, jsonb_array_elements($3::text::jsonb) WITH ORDINALITY w (value, position)
ON CONFLICT ON CONSTRAINT zone_limits_position_key DO UPDATE SET
    parker_group = excluded.parker_group, stays_max = excluded.stays_max, days = excluded.days,
    begins = excluded.begins, ends = excluded.ends
