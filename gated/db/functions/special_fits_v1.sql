-- Promises whether entry and exit lie in the windows of a special; both as readings of the
-- facility's clock. p_kinds are the kinds of the day of the entry, and of the day before.
CREATE OR REPLACE FUNCTION gate.special_fits_v1(
    p_special jsonb, p_entry timestamp, p_exit timestamp, p_kinds text[], p_kinds_before text[]
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_from CONSTANT interval := coalesce(p_special ->> 'enter_from', '00:00')::interval;
    v_until CONSTANT interval := coalesce(p_special ->> 'enter_until', '24:00')::interval;
    v_exit_from CONSTANT interval := coalesce(
        p_special ->> 'exit_from',
        CASE WHEN p_special ->> 'exit_day' = 'any' THEN '00:00' END)::interval;
    v_exit_until CONSTANT interval := coalesce(
        p_special ->> 'exit_until', CASE WHEN p_special ? 'exit_day' THEN '24:00' END)::interval;
    v_day date := p_entry::date;
BEGIN
    -- The evening's day counts, also for an entry after midnight.
    IF v_until <= v_from AND p_entry < v_day + v_until THEN
        v_day := v_day - 1;
        p_kinds := p_kinds_before;
    ELSIF p_entry < v_day + v_from OR v_until > v_from AND p_entry >= v_day + v_until THEN
        RETURN false;
    END IF;
    IF p_special ? 'days' AND NOT p_special -> 'days' ?| p_kinds THEN
        RETURN false;
    END IF;
    -- Of any day: the 24:00 of a day is the 00:00 of the next, and a window may begin the day before.
    RETURN EXISTS (
        SELECT
        FROM (
            SELECT v_day + nullif(p_special ->> 'exit_day', 'any')::integer
            WHERE p_special ->> 'exit_day' <> 'any'
            UNION ALL
            SELECT v_day WHERE NOT p_special ? 'exit_day'
            UNION ALL
            SELECT p_exit::date + n FROM generate_series(-1, 1) n
            WHERE p_special ->> 'exit_day' = 'any'
        ) d (day)
        WHERE (v_exit_until IS NULL OR p_exit <= d.day + v_exit_until)
            AND (v_exit_from IS NULL OR p_exit >= d.day + v_exit_from - CASE
                WHEN v_exit_from > v_exit_until THEN interval '24 hours' ELSE interval '0' END));
END
$$;
