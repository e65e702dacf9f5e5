-- What was noted of the lanes $1, each from $2 to $3, the first $4 of each; and the faults that were
-- raised in the day before and not cleared by then. `span` counts the lanes from 1.
SELECT k.span, n.id, l.slug AS lane, n.at, n.name, n.detail, n.event_id AS event
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
    WITH ORDINALITY AS k (lane, since, until, span)
JOIN gate.lanes l ON l.id = k.lane
CROSS JOIN LATERAL (
    (SELECT * FROM gate.lane_notes n
     WHERE n.facility_id = l.facility_id AND n.lane_id = k.lane
         AND n.at >= k.since AND n.at < k.until
     ORDER BY n.at LIMIT $4)
    UNION ALL
    (SELECT * FROM gate.lane_notes n
     WHERE n.facility_id = l.facility_id AND n.lane_id = k.lane AND n.name = 'fault_raised'
         AND n.at >= k.since - interval '1 day' AND n.at < k.since
         AND NOT EXISTS (
             SELECT FROM gate.lane_notes c
             WHERE c.facility_id = l.facility_id AND c.lane_id = k.lane
                 AND c.at >= n.at AND c.at < k.since
                 AND c.name = 'fault_cleared' AND c.detail = n.detail)
     ORDER BY n.at DESC LIMIT $4)
) n
ORDER BY k.span, n.at, n.id
