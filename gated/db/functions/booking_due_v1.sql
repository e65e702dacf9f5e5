-- Promises whether a vehicle may come at p_at with a reservation of this period: not earlier before
-- it than the facility allows, not later than the spot is kept, and never after its end.
CREATE OR REPLACE FUNCTION gate.booking_due_v1(
    p_facility uuid, p_from timestamptz, p_until timestamptz, p_at timestamptz
) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_at >= p_from - make_interval(mins => coalesce(max(s.early_minutes_max), 30))
        AND coalesce(
            p_at < gate.booking_kept_until_v1(p_from, p_until, max(s.late_minutes_max)), true)
    FROM gate.facility_settings s WHERE s.facility_id = p_facility
$$;
