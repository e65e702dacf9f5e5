-- The stay of the ticket or booking $1, with the price that was frozen on it and what was paid; no
-- row if there is none.
SELECT b.id, b.facility_id, f.name AS facility, s.time_zone, s.currency, b.ticket_number,
    b.status::text AS status, b.plate_number, b.entry_time, b.actual_exit,
    round(b.final_price, greatest(c.exponent, min_scale(b.final_price))) AS amount,
    b.price_lines::text AS lines,
    round(paid.paid, greatest(c.exponent, min_scale(paid.paid))) AS paid
FROM gate.tickets t
JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
JOIN public.facilities f ON f.id = b.facility_id
JOIN gate.facility_settings s ON s.facility_id = b.facility_id
JOIN gate.currencies c ON c.code = coalesce(b.currency, s.currency)
CROSS JOIN LATERAL (SELECT gate.paid_v1(b.id) AS paid) AS paid
WHERE t.ticket_number = $1 OR t.booking_id::text = lower($1)
ORDER BY t.ticket_number = $1 DESC
LIMIT 1
