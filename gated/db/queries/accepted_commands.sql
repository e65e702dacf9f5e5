-- The commands that wait to be sent, oldest first.
SELECT
    c.id, c.lane_id, c.device_id, c.do_what, c.reason, c.event_id, c.fence, c.issued_at,
    c.expires_at, c.plate, c.stay_id, c.price, c.currency, c.text,
    (SELECT t.ticket_number FROM gate.tickets t
     WHERE t.booking_id = c.stay_id AND c.do_what = 'open' AND c.plate IS NULL) AS ticket
FROM gate.commands c
WHERE c.facility_id = $1 AND c.status = 'accepted'
ORDER BY c.issued_at, c.id
