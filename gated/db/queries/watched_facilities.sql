-- The facilities in service that have offences looked for: they list a penalty for one that can be
-- seen while it lasts, or have spot sensors.
SELECT f.facility_id
FROM gate.facility_settings f JOIN public.facilities p ON p.id = f.facility_id
WHERE p.is_active AND (
    EXISTS (
        SELECT FROM gate.penalties k
        WHERE k.facility_id = f.facility_id AND k.violation_type IN (
            'overstay', 'wrong_zone', 'accessible_misuse', 'ev_misuse'))
    OR EXISTS (SELECT FROM gate.spot_states t WHERE t.facility_id = f.facility_id))
