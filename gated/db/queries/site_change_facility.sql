-- Changes the facility $1 and its settings; slug and currency stay what they are.
WITH changed AS (
    UPDATE public.facilities SET name = $2, city = $3, latitude = $5, longitude = $6 WHERE id = $1
)
UPDATE gate.facility_settings s SET
    time_zone = $4, policy = $7::text::jsonb,
    vehicle_type_default = p.vehicle_type_default,
    stay_minutes_expected = p.stay_minutes_expected,
    early_minutes_max = p.early_minutes_max, late_minutes_max = p.late_minutes_max,
    grace_minutes_exit = p.grace_minutes_exit, ev_spots_kept = p.ev_spots_kept,
    open_violation_denies = p.open_violation_denies, sign_free_again = p.sign_free_again,
    phantom_days = p.phantom_days, phantom_policy = p.phantom_policy,
    phantom_close_days = p.phantom_close_days, drift_count_max = p.drift_count_max,
    overstay_grace_minutes = p.overstay_grace_minutes,
    misuse_grace_minutes = p.misuse_grace_minutes, anti_passback = p.anti_passback
FROM jsonb_populate_record(NULL::gate.facility_settings, $8::text::jsonb) AS p
WHERE s.facility_id = $1
