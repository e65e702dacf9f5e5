-- What waits for an operator at the facility $1, the oldest first, at most $2; with the names of the
-- lane and the ticket that the particulars point at, where they do.
SELECT r.id, r.kind, r.details::text AS details, r.created_at, l.slug AS lane,
    t.ticket_number AS ticket
FROM gate.reconciliations r
LEFT JOIN gate.lanes l ON l.id::text = r.details ->> 'lane' AND l.facility_id = r.facility_id
LEFT JOIN gate.tickets t ON t.booking_id = CASE
    WHEN r.details ->> 'stay' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    THEN (r.details ->> 'stay')::uuid END
WHERE r.facility_id = $1 AND r.resolved_at IS NULL
ORDER BY r.created_at, r.id
LIMIT $2
