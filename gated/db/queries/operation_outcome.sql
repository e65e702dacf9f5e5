-- What the operator's request of this key came to; no row while it is not decided.
SELECT CASE WHEN e.outcome = 'refused' THEN e.error
    WHEN e.outcome = 'failed' THEN 'failed' ELSE 'done' END
FROM gate.event_keys k
JOIN gate.events e ON e.id = k.event_id AND e.received_at = k.received_at
WHERE k.facility_id = $1 AND k.event_key = '-/' || $2 AND e.status = 'done'
