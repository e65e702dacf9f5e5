-- The offences at the facility $1 since $2 in the states $3, the newest first, at most $4; with
-- the names of the stays and zones in the evidence by their ids.
SELECT v.id, v.violation_type AS kind, v.violation_time AS at, v.plate_number AS plate,
    v.penalty_amount AS penalty, coalesce(v.currency, s.currency) AS currency,
    v.status::text AS status, v.evidence::text AS evidence, l.slug AS lane,
    t.ticket_number AS ticket, n.names::text AS names
FROM public.violations v
JOIN gate.facility_settings s ON s.facility_id = v.facility_id
LEFT JOIN gate.lanes l ON l.id::text = v.evidence ->> 'lane' AND l.facility_id = v.facility_id
LEFT JOIN gate.tickets t ON t.booking_id = v.booking_id
CROSS JOIN LATERAL (
    SELECT coalesce(
        jsonb_object_agg(e.value, coalesce('ticket ' || o.ticket_number, z.code))
            FILTER (WHERE coalesce(o.ticket_number, z.code) IS NOT NULL), '{}') AS names
    FROM jsonb_each_text(v.evidence) e
    LEFT JOIN gate.tickets o ON o.booking_id = CASE
        WHEN e.key IN ('stay', 'after')
            AND e.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        THEN e.value::uuid END
    LEFT JOIN public.zones z
        ON e.key = 'zone' AND z.id::text = e.value AND z.facility_id = v.facility_id
) n
WHERE v.facility_id = $1 AND v.violation_time >= $2
    AND v.status = ANY ($3::text[]::public.violation_status[])
ORDER BY v.violation_time DESC, v.id
LIMIT $4
