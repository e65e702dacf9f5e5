-- Promises for how long, between the two, the facility was being evacuated: nobody pays for that time.
-- In seconds as an interval, so that added to a time it means the same in each time zone.
CREATE OR REPLACE FUNCTION gate.evacuated_v1(
    p_facility uuid, p_from timestamptz, p_until timestamptz
) RETURNS interval
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_seconds numeric;
BEGIN
    SELECT sum(extract(epoch FROM least(e.ended_at, p_until))
        - extract(epoch FROM greatest(e.began_at, p_from)))
    INTO v_seconds
    FROM gate.evacuations e
    WHERE e.facility_id = p_facility AND e.began_at < p_until
        AND coalesce(e.ended_at > p_from, true);
    RETURN make_interval(secs => coalesce(v_seconds, 0)::double precision);
END
$$;
