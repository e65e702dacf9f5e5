-- The active facilities that are set up for the gate.
SELECT f.id
FROM public.facilities f JOIN gate.facility_settings s ON s.facility_id = f.id
WHERE f.is_active
ORDER BY s.slug
