-- The last $3 messages of contacts of each lane since $2, settled ones, in the order of arrival.
SELECT
    e.id,
    substr(e.event_key, length(coalesce(e.device_id::text, '-')) + 2) AS own_key,
    e.device_id, e.lane_id, e.topic, e.payload, e.kind, e.status, e.device_at, e.received_at,
    e.error
FROM gate.lanes l
CROSS JOIN LATERAL (
    SELECT * FROM gate.events i
    WHERE i.lane_id = l.id AND i.kind = 'input' AND i.status = 'done' AND i.received_at >= $2
    ORDER BY i.received_at DESC
    LIMIT $3
) e
WHERE l.facility_id = $1 AND l.is_active
ORDER BY e.seq
