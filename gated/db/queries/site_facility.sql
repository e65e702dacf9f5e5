-- The facility with the slug $1, if it is stored. Penalties have the decimals of the currency, and
-- more only where somebody stored more.
SELECT f.id, s.slug, f.name, f.city, s.time_zone, s.currency, f.latitude, f.longitude,
    s.policy::text AS policy, s.opening::text AS opening, s.display::text AS display,
    jsonb_build_object(
        'vehicle_type_default', s.vehicle_type_default,
        'stay_minutes_expected', s.stay_minutes_expected,
        'early_minutes_max', s.early_minutes_max,
        'late_minutes_max', s.late_minutes_max,
        'grace_minutes_exit', s.grace_minutes_exit,
        'ev_spots_kept', s.ev_spots_kept,
        'open_violation_denies', s.open_violation_denies,
        'sign_free_again', s.sign_free_again,
        'phantom_days', s.phantom_days,
        'phantom_policy', s.phantom_policy,
        'phantom_close_days', s.phantom_close_days,
        'drift_count_max', s.drift_count_max,
        'overstay_grace_minutes', s.overstay_grace_minutes,
        'misuse_grace_minutes', s.misuse_grace_minutes,
        'anti_passback', s.anti_passback
    )::text AS parking,
    coalesce((
        SELECT jsonb_object_agg(
            p.violation_type, round(p.amount, greatest(c.exponent, min_scale(p.amount)))::text)
        FROM gate.penalties p JOIN gate.currencies c ON c.code = s.currency
        WHERE p.facility_id = s.facility_id
    ), '{}')::text AS penalties,
    coalesce((
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('group', l.parker_group,
            'stays_max', l.stays_max, 'days', l.days, 'from', l.begins, 'until', l.ends))
            ORDER BY l.position)
        FROM gate.zone_limits l WHERE l.facility_id = s.facility_id AND l.zone_id IS NULL
    ), '[]')::text AS limits
FROM gate.facility_settings s JOIN public.facilities f ON f.id = s.facility_id
WHERE s.slug = $1
