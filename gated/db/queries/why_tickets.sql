-- The ticket numbers of the stays $1.
SELECT t.booking_id AS stay, t.ticket_number AS ticket
FROM gate.tickets t WHERE t.booking_id = ANY ($1::uuid[])
