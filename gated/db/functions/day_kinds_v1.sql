-- Promises what a date of a facility is called, the most particular name first: its events, holiday,
-- holiday_eve, its weekday.
CREATE OR REPLACE FUNCTION gate.day_kinds_v1(p_facility uuid, p_day date) RETURNS text[]
LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
            SELECT c.kind FROM gate.calendar_days c
            WHERE c.facility_id = p_facility AND c.day = p_day
            ORDER BY c.kind = 'holiday', c.kind)
        || ARRAY(
            SELECT 'holiday_eve' FROM gate.calendar_days c
            WHERE c.facility_id = p_facility AND c.day = p_day + 1 AND c.kind = 'holiday')
        || ('{mon,tue,wed,thu,fri,sat,sun}'::text[])[extract(isodow FROM p_day)::integer]
$$;
