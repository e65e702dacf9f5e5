-- The plates of open stays, per facility slug.
SELECT s.slug, b.plate_number AS plate
FROM public.bookings b
JOIN gate.facility_settings s ON s.facility_id = b.facility_id
WHERE b.status = 'ACTIVE'
