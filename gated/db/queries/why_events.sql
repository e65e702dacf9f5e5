-- The messages with the ids $2, each looked for from $3 to $4, at the facilities $1.
SELECT e.id, e.seq, e.facility_id AS facility, e.lane_id, l.slug AS lane, e.device_id AS device,
    e.kind, e.topic, e.payload, e.status, e.outcome, e.error, e.device_at, e.received_at,
    e.settled_at
FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS k (id, since, until)
CROSS JOIN LATERAL (
    SELECT * FROM gate.events e
    WHERE e.id = k.id AND e.received_at >= k.since AND e.received_at < k.until
    LIMIT 1
) e
LEFT JOIN gate.lanes l ON l.id = e.lane_id
WHERE e.facility_id = ANY ($1::uuid[])
ORDER BY e.received_at, e.seq
