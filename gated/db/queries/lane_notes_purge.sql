-- Forgets at most 10,000 notes of lanes from before $1; answers how many. A fault that has not ended
-- is kept.
WITH old AS (
    SELECT n.id FROM gate.lane_notes n
    WHERE n.at < $1 AND NOT (n.name = 'fault_raised' AND NOT EXISTS (
        SELECT FROM gate.lane_notes c
        WHERE c.facility_id = n.facility_id AND c.lane_id = n.lane_id AND c.at >= n.at
            AND c.name = 'fault_cleared' AND c.detail = n.detail))
    ORDER BY n.at LIMIT 10000
), purged AS (
    DELETE FROM gate.lane_notes n USING old WHERE n.id = old.id RETURNING 1
)
SELECT count(*)::integer FROM purged
