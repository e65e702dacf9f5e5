-- The facility's zones in service.
SELECT z.code AS slug, z.name FROM public.zones z
WHERE z.facility_id = $1 AND z.is_active ORDER BY z.code
