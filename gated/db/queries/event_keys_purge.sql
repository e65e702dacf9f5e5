-- Forgets at most 10,000 event keys received before $1; answers how many.
WITH old AS (
    SELECT k.facility_id, k.event_key FROM gate.event_keys k
    WHERE k.received_at < $1
    ORDER BY k.received_at
    LIMIT 10000
), purged AS (
    DELETE FROM gate.event_keys k USING old
    WHERE k.facility_id = old.facility_id AND k.event_key = old.event_key
    RETURNING 1
)
SELECT count(*)::integer FROM purged
