-- The facility's tariff versions in force at $2, the newest of each name first.
SELECT r.id, r.name, r.strategy::text AS strategy, r.config::text AS config, r.priority,
    r.free_minutes
FROM public.pricing_rules r
WHERE r.facility_id = $1 AND r.valid_from < $2 AND (r.valid_until IS NULL OR $2 < r.valid_until)
ORDER BY r.name, r.valid_from DESC, r.id
