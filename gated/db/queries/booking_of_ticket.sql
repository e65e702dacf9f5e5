-- The booking of the ticket $1; null if there is none.
SELECT t.booking_id FROM gate.tickets t WHERE t.ticket_number = $1
