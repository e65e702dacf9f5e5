-- What came from the lanes $1, each from $2 to $3, of the kinds $4: the first $5 of each lane.
SELECT e.id, e.seq, e.facility_id AS facility, e.lane_id, l.slug AS lane, e.device_id AS device,
    e.kind, e.topic, e.payload, e.status, e.outcome, e.error, e.device_at, e.received_at,
    e.settled_at
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS k (lane, since, until)
JOIN gate.lanes l ON l.id = k.lane
CROSS JOIN LATERAL (
    SELECT * FROM gate.events e
    WHERE e.lane_id = k.lane AND e.kind = ANY ($4::text[])
        AND e.received_at >= k.since AND e.received_at < k.until
    ORDER BY e.received_at
    LIMIT $5
) e
ORDER BY e.received_at, e.seq
