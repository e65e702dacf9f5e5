-- The frozen prices of ended stays, by currency.
SELECT currency, sum(final_price) AS amount
FROM public.bookings
WHERE status = 'COMPLETED' AND final_price IS NOT NULL
GROUP BY currency
ORDER BY currency
