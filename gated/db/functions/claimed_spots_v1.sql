-- Promises the spots of the facility that are claimed in a part of a period to come. A vehicle that
-- stands there longer than it was expected to is expected to stay as long again, from p_at: as
-- gate.spot_free_v1, for all spots at once. To be used in FROM, where it is planned with the rest.
CREATE OR REPLACE FUNCTION gate.claimed_spots_v1(
    p_facility uuid, p_during tstzrange, p_at timestamptz, p_stay_minutes integer
) RETURNS TABLE (spot uuid)
LANGUAGE sql STABLE AS $$
    SELECT c.spot_id
    FROM gate.claims c
    WHERE c.facility_id = p_facility
        AND (c.during && p_during
            OR c.kind = 'stay' AND upper(c.during) <= p_at
                AND lower(p_during) < p_at + make_interval(mins => p_stay_minutes))
$$;
