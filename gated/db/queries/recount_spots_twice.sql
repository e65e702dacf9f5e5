-- Pairs of stays that stood on one spot at one time; a cancelled admission held no spot.
SELECT count(*) AS pairs
FROM public.bookings a
JOIN public.bookings b
  ON b.spot_id = a.spot_id
 AND b.id > a.id
 AND tstzrange(b.entry_time, coalesce(b.actual_exit, 'infinity'))
     && tstzrange(a.entry_time, coalesce(a.actual_exit, 'infinity'))
WHERE a.status IN ('ACTIVE', 'COMPLETED')
  AND b.status IN ('ACTIVE', 'COMPLETED')
