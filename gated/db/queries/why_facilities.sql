-- The facilities that are set up, closed ones too: the one with the slug $1, or all where that is null.
SELECT f.id, s.slug, f.name, s.time_zone, s.currency
FROM gate.facility_settings s JOIN public.facilities f ON f.id = s.facility_id
WHERE $1::text IS NULL OR s.slug = $1
ORDER BY s.slug
