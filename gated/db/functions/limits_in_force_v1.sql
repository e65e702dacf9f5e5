-- Promises the limits of the facility (its zone is null) and of its zones that hold at p_at, the
-- smallest for each group; p_zone: of this zone and the facility alone.
--
-- A window is read on the facility's clock: from `begins` up to but not at `ends`, of the next day
-- where that is not later. It is the night of the day on which it began. A day is what its weekday,
-- the calendar and its neighbours call it, so a holiday is also a mon to sun.
CREATE OR REPLACE FUNCTION gate.limits_in_force_v1(
    p_facility uuid, p_at timestamptz, p_zone uuid DEFAULT NULL
) RETURNS TABLE (zone_id uuid, parker_group text, stays_max integer)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_local timestamp;
    v_minute integer;
    v_today text[];
    v_yesterday text[];
BEGIN
    -- Most facilities have none, and each admission asks.
    IF NOT EXISTS (SELECT FROM gate.zone_limits l WHERE l.facility_id = p_facility) THEN
        RETURN;
    END IF;
    SELECT p_at AT TIME ZONE s.time_zone INTO v_local
    FROM gate.facility_settings s WHERE s.facility_id = p_facility;
    v_minute := extract(hour FROM v_local) * 60 + extract(minute FROM v_local);
    SELECT max(d.kinds) FILTER (WHERE d.day = v_local::date),
        max(d.kinds) FILTER (WHERE d.day < v_local::date)
    INTO v_today, v_yesterday
    FROM gate.days_kinds_v1(p_facility, v_local::date - 1, v_local::date) d;
    RETURN QUERY
        SELECT l.zone_id, l.parker_group, min(l.stays_max)
        FROM gate.zone_limits l
        CROSS JOIN LATERAL (
            SELECT coalesce(gate.clock_minutes_v1(l.begins), 0) AS begins,
                coalesce(gate.clock_minutes_v1(l.ends), 1440) AS ends,
                coalesce(l.days && v_today, true) AS today,
                coalesce(l.days && v_yesterday, true) AS yesterday
        ) w
        WHERE l.facility_id = p_facility
            AND (p_zone IS NULL OR l.zone_id IS NULL OR l.zone_id = p_zone)
            AND CASE WHEN w.begins < w.ends
                THEN w.today AND v_minute >= w.begins AND v_minute < w.ends
                ELSE w.today AND v_minute >= w.begins OR w.yesterday AND v_minute < w.ends END
        GROUP BY l.zone_id, l.parker_group;
END
$$;
