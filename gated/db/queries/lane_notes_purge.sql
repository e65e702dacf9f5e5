-- Forgets at most 10,000 notes of lanes from before $1; answers how many.
WITH old AS (
    SELECT n.id FROM gate.lane_notes n WHERE n.at < $1 ORDER BY n.at LIMIT 10000
), purged AS (
    DELETE FROM gate.lane_notes n USING old WHERE n.id = old.id RETURNING 1
)
SELECT count(*)::integer FROM purged
