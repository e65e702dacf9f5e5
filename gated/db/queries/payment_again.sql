-- What the message of the key $3 came to, for a payment that is told by it once more; no row while
-- it is not decided.
SELECT a.outcome, a.ticket, a.due, a.currency, a.grace_until
FROM gate.event_keys k
JOIN gate.events e ON e.id = k.event_id AND e.received_at = k.received_at
CROSS JOIN LATERAL gate.take_payment_v1(
    $1, $2, k.event_id, $4, $5, $6, $7, $8, $9, $10, $11) a
WHERE k.facility_id = $1 AND k.event_key = '-/' || $3 AND e.status = 'done'
