-- Promises the dates from p_first to p_last, each with what it is called at a facility, the most
-- particular name first: its events, holiday, holiday_eve, its weekday.
CREATE OR REPLACE FUNCTION gate.days_kinds_v1(p_facility uuid, p_first date, p_last date)
RETURNS TABLE (day date, kinds text[])
LANGUAGE sql STABLE AS $$
    WITH listed AS (
        SELECT c.day, array_agg(c.kind ORDER BY c.kind = 'holiday', c.kind) AS kinds
        FROM gate.calendar_days c
        WHERE c.facility_id = p_facility AND c.day BETWEEN p_first AND p_last + 1
        GROUP BY c.day
    )
    SELECT n.day,
        coalesce(today.kinds, '{}')
        || CASE WHEN 'holiday' = ANY (tomorrow.kinds) THEN ARRAY['holiday_eve'] ELSE '{}' END
        || ('{mon,tue,wed,thu,fri,sat,sun}'::text[])[extract(isodow FROM n.day)::integer]
    FROM (SELECT p_first + i AS day FROM generate_series(0, p_last - p_first) i) n
    LEFT JOIN listed today ON today.day = n.day
    LEFT JOIN listed tomorrow ON tomorrow.day = n.day + 1
$$;
