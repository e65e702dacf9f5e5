-- The messages that are stored and not done, in the order of arrival. Reads no more than there
-- are: the partial index of each month holds the pending rows alone.
SELECT
    e.id,
    substr(e.event_key, length(coalesce(e.device_id::text, '-')) + 2) AS own_key,
    e.device_id, e.lane_id, e.topic, e.payload, e.kind, e.status, e.device_at, e.received_at,
    e.error
FROM gate.events e
WHERE e.facility_id = $1 AND e.status = 'new'
ORDER BY e.seq
LIMIT $2
