-- What waits for an operator at the facility $1, the oldest first, at most $2; with the names of the
-- lane and the ticket that the particulars point at, where they do, and those of all stays and zones
-- in them by their ids.
SELECT r.id, r.kind, r.details::text AS details, r.created_at, l.slug AS lane,
    t.ticket_number AS ticket, n.names::text AS names
FROM gate.reconciliations r
LEFT JOIN gate.lanes l ON l.id::text = r.details ->> 'lane' AND l.facility_id = r.facility_id
LEFT JOIN gate.tickets t ON t.booking_id = CASE
    WHEN r.details ->> 'stay' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    THEN (r.details ->> 'stay')::uuid END
CROSS JOIN LATERAL (
    SELECT coalesce(
        jsonb_object_agg(v.value, coalesce('ticket ' || o.ticket_number, z.code))
            FILTER (WHERE coalesce(o.ticket_number, z.code) IS NOT NULL), '{}') AS names
    FROM jsonb_each_text(
        CASE jsonb_typeof(r.details) WHEN 'object' THEN r.details END) v
    LEFT JOIN gate.tickets o ON o.booking_id = CASE
        WHEN v.key IN ('stay', 'after')
            AND v.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        THEN v.value::uuid END
    LEFT JOIN public.zones z
        ON v.key = 'zone' AND z.id::text = v.value AND z.facility_id = r.facility_id
) n
WHERE r.facility_id = $1 AND r.resolved_at IS NULL
ORDER BY r.created_at, r.id
LIMIT $2
