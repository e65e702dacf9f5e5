-- The zones in service of the facility $1 with their vehicles at $2, as three ways of counting have it.
SELECT z.code, d.counted, d.stays, d.sensed, d.sensed_at, d.allowed
FROM public.zones z CROSS JOIN LATERAL gate.zone_drift_v1(z.id, $2) d
WHERE z.facility_id = $1 AND z.is_active
ORDER BY z.code
