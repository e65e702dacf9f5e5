-- The facility with the slug $1, if it is stored.
SELECT f.id, s.slug, f.name, f.city, s.time_zone, s.currency, f.latitude, f.longitude,
    s.policy::text AS policy
FROM gate.facility_settings s JOIN public.facilities f ON f.id = s.facility_id
WHERE s.slug = $1
