-- Entries and exits that passed, per facility slug.
SELECT s.slug,
       count(*) FILTER (WHERE b.entry_known IS NOT NULL) AS entries,
       count(*) FILTER (WHERE b.exit_known IS NOT NULL) AS exits
FROM gate.facility_settings s
LEFT JOIN public.bookings b ON b.facility_id = s.facility_id AND b.status <> 'CANCELLED'
GROUP BY s.slug
ORDER BY s.slug
