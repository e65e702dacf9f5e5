-- The facility's devices in service.
SELECT d.slug, l.slug AS lane, d.family, d.topic, d.options::text AS options
FROM gate.devices d JOIN gate.lanes l ON l.id = d.lane_id
WHERE d.facility_id = $1 AND d.is_active ORDER BY d.slug
