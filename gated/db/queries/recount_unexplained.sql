-- Ended stays whose price is not the sum of its own lines.
SELECT count(*) AS stays
FROM public.bookings b
WHERE b.status = 'COMPLETED'
  AND b.final_price IS DISTINCT FROM (
      SELECT sum((line ->> 'amount')::numeric) FROM jsonb_array_elements(b.price_lines) AS line
  )
