-- The facilities in service that have phantoms closed by a policy.
SELECT f.facility_id
FROM gate.facility_settings f JOIN public.facilities p ON p.id = f.facility_id
WHERE f.phantom_policy = 'close_after_days' AND p.is_active
