-- Of the newest $5 plate reads of each lane of the facilities $1 in [$2, $3), those that led to no
-- decision; folded ones, which are of a vehicle that was decided about, left out. One that is the
-- $5th comes in any case, as `last`: there may be older ones that nobody looked at. $4: the kind.
SELECT e.id, e.seq, e.facility_id AS facility, e.lane_id, l.slug AS lane, e.device_id AS device,
    e.kind, e.topic, e.payload, e.status, e.outcome, e.error, e.device_at, e.received_at,
    e.settled_at, e.rank = $5 AS last
FROM gate.lanes l
CROSS JOIN LATERAL (
    SELECT e.*, row_number() OVER (ORDER BY e.received_at DESC) AS rank
    FROM gate.events e
    WHERE e.lane_id = l.id AND e.kind = $4 AND e.received_at >= $2 AND e.received_at < $3
    ORDER BY e.received_at DESC
    LIMIT $5
) e
WHERE l.facility_id = ANY ($1::uuid[])
    AND (coalesce(e.outcome, e.status) NOT IN ('decided', 'folded') OR e.rank = $5)
ORDER BY e.received_at, e.seq
