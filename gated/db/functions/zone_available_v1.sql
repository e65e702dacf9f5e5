-- Promises the zone's spots that can still be given out: its counter, and what is not counted yet.
CREATE OR REPLACE FUNCTION gate.zone_available_v1(p_zone uuid) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT greatest(z.available_spots + coalesce((
        SELECT sum(c.available) FROM gate.spot_changes c
        WHERE c.facility_id = z.facility_id AND c.zone_id = z.id), 0), 0)::integer
    FROM public.zones z WHERE z.id = p_zone
$$;
