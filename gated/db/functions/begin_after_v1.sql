-- Promises the first instant after p_at at which a day begins, or with p_weekday (1: Monday) a
-- week, if days begin at the reading p_begins of the clock of p_zone. A reading that the clock
-- shows twice counts the second time, and one that it skips with the offset before: as PostgreSQL
-- reads local times.
CREATE OR REPLACE FUNCTION gate.begin_after_v1(
    p_at timestamptz, p_zone text, p_begins interval, p_weekday integer DEFAULT NULL
) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- A day early: before a clock change its reading may be ahead of the instant.
    v_day date := ((p_at AT TIME ZONE p_zone) - p_begins)::date;
    v_begin timestamptz;
BEGIN
    LOOP
        v_begin := (v_day + p_begins) AT TIME ZONE p_zone;
        EXIT WHEN v_begin > p_at AND (p_weekday IS NULL OR extract(isodow FROM v_day) = p_weekday);
        v_day := v_day + 1;
    END LOOP;
    RETURN v_begin;
END
$$;
