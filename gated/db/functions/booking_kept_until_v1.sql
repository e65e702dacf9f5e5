-- Promises the instant from which a reserved spot is no longer kept for a vehicle that did not
-- come; null if there is none, where neither the booking nor the facility sets an end.
CREATE OR REPLACE FUNCTION gate.booking_kept_until_v1(
    p_from timestamptz, p_until timestamptz, p_late_minutes_max integer
) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT least(p_until, p_from + make_interval(mins => p_late_minutes_max))
$$;
