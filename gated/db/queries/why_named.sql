-- What is called $1 (ticket numbers) or has the id $2: what it is, and the stay or the event that it
-- leads to. Events have months: they are asked for by a time.
SELECT 'ticket' AS what, t.booking_id AS stay, NULL::uuid AS event, NULL::timestamptz AS at
FROM gate.tickets t WHERE t.ticket_number = ANY ($1::text[])
UNION ALL
SELECT 'stay', t.booking_id, NULL, NULL FROM gate.tickets t WHERE t.booking_id = $2
UNION ALL
SELECT 'command', c.stay_id, c.event_id, c.issued_at FROM gate.commands c WHERE c.id = $2
UNION ALL
SELECT 'payment', p.booking_id, NULL, NULL FROM public.payments p
WHERE p.id = $2 AND p.booking_id IS NOT NULL
UNION ALL
SELECT 'violation', v.booking_id, NULL, NULL FROM public.violations v
WHERE v.id = $2 AND v.booking_id IS NOT NULL
UNION ALL
SELECT 'passage', p.stay_id, p.id, p.passed_at FROM gate.free_passages p WHERE p.id = $2
