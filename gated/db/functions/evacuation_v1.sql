-- Promises when the facility's last evacuation before p_at began and ended; until is null while it
-- lasts, both where there was none.
CREATE OR REPLACE FUNCTION gate.evacuation_v1(
    p_facility uuid, p_at timestamptz, OUT since timestamptz, OUT until timestamptz
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT e.began_at, CASE WHEN e.ended_at <= p_at THEN e.ended_at END INTO since, until
    FROM gate.evacuations e
    WHERE e.facility_id = p_facility AND e.began_at <= p_at
    ORDER BY e.began_at DESC LIMIT 1;
END
$$;
