-- The money that was meant for the stays $2 (their ids, and $3 their tickets) at the facilities $1 and
-- does not count.
SELECT r.id, r.details::text AS details, r.created_at, r.resolved_at, r.resolution
FROM gate.reconciliations r
WHERE r.facility_id = ANY ($1::uuid[]) AND r.kind = 'payment_refused'
    AND (r.details ->> 'stay' = ANY ($2::text[]) OR r.details ->> 'ticket' = ANY ($3::text[]))
ORDER BY r.created_at, r.id
