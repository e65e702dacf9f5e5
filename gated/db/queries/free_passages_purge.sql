-- Forgets at most 10,000 passages without a grant from before $1; answers how many.
WITH old AS (
    SELECT f.id FROM gate.free_passages f WHERE f.passed_at < $1 ORDER BY f.passed_at LIMIT 10000
), purged AS (
    DELETE FROM gate.free_passages f USING old WHERE f.id = old.id RETURNING 1
)
SELECT count(*)::integer FROM purged
