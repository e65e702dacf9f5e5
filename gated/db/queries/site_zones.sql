-- The facility's zones in service.
SELECT z.code AS slug, z.name, coalesce(s.fill_policy, 'lowest') AS fill
FROM public.zones z LEFT JOIN gate.zone_settings s ON s.zone_id = z.id
WHERE z.facility_id = $1 AND z.is_active ORDER BY z.code
