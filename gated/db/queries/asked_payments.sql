-- Who was asked to pay at the facility $1 for a stay that goes on, while the message that led to it
-- is not decided on: the last question of each message, and when it was asked first. Reads the
-- pending messages, and what was done on them since.
SELECT
    (q.details ->> 'lane')::uuid AS lane_id, e.id AS event_id, c.booking_id AS stay_id, c.plate,
    c.entry_time, c.zone_id, (q.details ->> 'due')::numeric AS due,
    q.details ->> 'currency' AS currency, q.since
FROM gate.events e
CROSS JOIN LATERAL (
    SELECT a.resource_id, a.details, min(a."timestamp") OVER () AS since
    FROM public.audit_logs a
    WHERE a.correlation_id = e.id AND a.action = 'payment.asked'
        AND a."timestamp" >= e.received_at - interval '1 day'
    ORDER BY a."timestamp" DESC
    LIMIT 1
) q
JOIN gate.claims c ON c.booking_id = q.resource_id
WHERE e.facility_id = $1 AND e.status = 'new' AND c.kind = 'stay' AND c.plate IS NOT NULL
ORDER BY e.seq
