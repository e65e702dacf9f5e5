-- What was noted of the lanes $1, each from $2 to $3: the first $4 of each lane.
SELECT DISTINCT n.id, n.facility_id AS facility, n.lane_id, l.slug AS lane, n.at, n.name, n.detail,
    n.event_id AS event
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS k (lane, since, until)
JOIN gate.lanes l ON l.id = k.lane
CROSS JOIN LATERAL (
    SELECT * FROM gate.lane_notes n
    WHERE n.facility_id = l.facility_id AND n.lane_id = k.lane
        AND n.at >= k.since AND n.at < k.until
    ORDER BY n.at
    LIMIT $4
) n
ORDER BY n.at, n.id
