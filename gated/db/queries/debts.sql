-- What ended stays of the facility $1 still owe that began since $2, the newest first, at most $3.
SELECT d.booking_id AS stay, d.ticket_number AS ticket, d.plate_number AS plate,
    d.entry_time, d.actual_exit AS exit_at, d.price, d.paid, d.due, d.currency
FROM gate.debts d
WHERE d.facility_id = $1 AND d.entry_time >= $2
ORDER BY d.entry_time DESC, d.booking_id
LIMIT $3
