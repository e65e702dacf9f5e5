-- The open stays, per facility slug, by the plate that is recorded; null: it came in unread.
SELECT s.slug, b.plate_number AS plate, count(*) AS stays
FROM public.bookings b
JOIN gate.facility_settings s ON s.facility_id = b.facility_id
WHERE b.status = 'ACTIVE'
GROUP BY s.slug, b.plate_number
