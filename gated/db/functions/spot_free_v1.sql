-- Promises whether nobody has claimed the spot in a period to come. A vehicle that stands there
-- longer than it was expected to is expected to stay as long again, from p_at.
CREATE OR REPLACE FUNCTION gate.spot_free_v1(
    p_spot uuid, p_during tstzrange, p_at timestamptz, p_stay_minutes integer
) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM gate.claims c WHERE c.spot_id = p_spot AND c.during && p_during
    ) AND (
        lower(p_during) >= p_at + make_interval(mins => p_stay_minutes)
        OR NOT EXISTS (
            SELECT FROM gate.claims c
            WHERE c.spot_id = p_spot AND c.kind = 'stay' AND upper(c.during) <= p_at)
    )
$$;
