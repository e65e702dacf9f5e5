-- Promises why a right of this plate or of its vehicle's owner does not hold at p_at: the latest
-- word of 'right_expired', 'right_used_up' and 'right_not_due'; null if there was none. For a plate
-- that has no right at p_at.
--
-- Of reservations those count that begin or ended within a day of p_at: an older one explains
-- nothing to whoever stands at the barrier. Who withdrew one has none.
CREATE OR REPLACE FUNCTION gate.lapsed_right_v1(
    p_facility uuid, p_plate text, p_owner uuid, p_at timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE
-- Planning for all the months anew costs more than a plan that fits every plate.
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (
        SELECT r.why
        FROM (
            SELECT CASE WHEN p_at < c.entry_time THEN 'right_not_due' ELSE 'right_expired' END AS why,
                least(p_at, upper(c.during)) AS held_until
            FROM gate.claims c
            WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'reservation'
                AND c.entry_time < p_at + interval '1 day'
            UNION ALL
            SELECT CASE b.status WHEN 'COMPLETED' THEN 'right_used_up' ELSE 'right_expired' END,
                least(p_at, coalesce(b.reserved_until, b.expected_exit))
            FROM public.bookings b
            WHERE b.facility_id = p_facility AND b.plate_number = p_plate
                AND b.entry_time > p_at - interval '32 days' AND b.entry_time <= p_at
                AND (b.status = 'NO_SHOW' OR b.status = 'COMPLETED' AND b.entitlement = 'reservation')
                AND coalesce(b.reserved_until, b.expected_exit) > p_at - interval '1 day'
            UNION ALL
            SELECT CASE
                    WHEN p_at < u.activated_at THEN 'right_not_due'
                    WHEN p_at >= u.expires_at THEN 'right_expired'
                    ELSE 'right_used_up'
                END,
                least(p_at, u.expires_at)
            FROM public.user_subscriptions u
            JOIN public.subscriptions s ON s.id = u.subscription_id
            JOIN public.users o ON o.id = u.user_id AND o.is_active
            WHERE u.user_id = p_owner AND s.facility_id = p_facility
        ) r
        ORDER BY r.held_until DESC,
            array_position('{right_used_up,right_not_due,right_expired}'::text[], r.why)
        LIMIT 1
    );
END
$$;
