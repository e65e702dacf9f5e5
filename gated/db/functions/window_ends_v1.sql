-- Promises when the window of a cap (or of `new_day`) ends that p_at lies in; rolling windows
-- follow each other from p_anchor on. Infinity: never.
CREATE OR REPLACE FUNCTION gate.window_ends_v1(
    p_per text, p_begins text, p_week_begins text, p_zone text, p_anchor timestamptz,
    p_at timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_hours CONSTANT integer := CASE p_per WHEN 'rolling_24h' THEN 24 WHEN 'rolling_7d' THEN 168 END;
BEGIN
    IF v_hours IS NOT NULL THEN
        RETURN p_anchor + make_interval(hours => v_hours * (1 + div(
            extract(epoch FROM p_at) - extract(epoch FROM p_anchor), v_hours * 3600))::integer);
    ELSIF p_per IN ('calendar_day', 'calendar_week') THEN
        RETURN gate.begin_after_v1(
            p_at, p_zone, coalesce(p_begins, '00:00')::interval,
            array_position('{mon,tue,wed,thu,fri,sat,sun}', p_week_begins));
    END IF;
    RETURN 'infinity';
END
$$;
