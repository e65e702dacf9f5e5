-- By currency: what was paid, what ended stays were charged, and what of that is owed.
SELECT f.currency,
       (SELECT coalesce(sum(p.amount - p.refunded), 0) FROM public.payments p
        WHERE p.currency = f.currency AND p.status IN ('COMPLETED', 'REFUNDED')) AS paid,
       (SELECT coalesce(sum(b.final_price), 0) FROM public.bookings b
        WHERE b.currency = f.currency AND b.status = 'COMPLETED') AS charged,
       (SELECT coalesce(sum(d.due), 0) FROM gate.debts d WHERE d.currency = f.currency) AS owed
FROM (SELECT DISTINCT currency FROM gate.facility_settings) f
ORDER BY f.currency
