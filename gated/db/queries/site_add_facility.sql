-- Stores a new facility of the slug $1 with its settings; answers its id.
WITH added AS (
    INSERT INTO public.facilities (name, city, latitude, longitude) VALUES ($2, $3, $5, $6)
    RETURNING id
)
INSERT INTO gate.facility_settings (
    facility_id, slug, time_zone, policy, currency, vehicle_type_default, stay_minutes_expected,
    early_minutes_max, late_minutes_max, grace_minutes_exit, ev_spots_kept, open_violation_denies,
    phantom_days, phantom_policy, phantom_close_days, drift_count_max, overstay_grace_minutes,
    misuse_grace_minutes, anti_passback, sign_free_again
)
SELECT added.id, $1, $4, $7::text::jsonb, $9, p.vehicle_type_default, p.stay_minutes_expected,
    p.early_minutes_max, p.late_minutes_max, p.grace_minutes_exit, p.ev_spots_kept,
    p.open_violation_denies, p.phantom_days, p.phantom_policy, p.phantom_close_days,
    p.drift_count_max, p.overstay_grace_minutes, p.misuse_grace_minutes,
    p.anti_passback, p.sign_free_again
FROM added, jsonb_populate_record(NULL::gate.facility_settings, $8::text::jsonb) AS p
RETURNING facility_id
