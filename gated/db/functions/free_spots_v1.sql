-- Promises, per zone and kind of spot, how many spots are free in a period to come: what a web
-- shop offers. What it can still have when it reserves, gate.reserve_v1 says.
--
-- Spots that are kept for others do not count: with a charger, for one who wants none, where the
-- facility keeps these; accessible, for one without the right.
CREATE OR REPLACE FUNCTION gate.free_spots_v1(
    p_facility uuid,
    p_from timestamptz,
    p_until timestamptz,
    p_at timestamptz,
    p_size public.spot_size DEFAULT 'COMPACT',
    p_wants_charger boolean DEFAULT false,
    p_accessible boolean DEFAULT false
) RETURNS TABLE (
    zone uuid, code text, size public.spot_size, has_ev_charger boolean, is_accessible boolean,
    free integer
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_settings gate.facility_settings;
BEGIN
    SELECT s.* INTO v_settings
    FROM gate.facility_settings s JOIN public.facilities f ON f.id = s.facility_id
    WHERE s.facility_id = p_facility AND f.is_active;
    IF NOT FOUND OR (p_from < p_until AND p_at < p_until) IS NOT TRUE THEN
        RETURN;
    END IF;
    RETURN QUERY
        -- Looked up once for the whole facility, and not once for each spot.
        WITH claimed AS MATERIALIZED (
            SELECT c.spot
            FROM gate.claimed_spots_v1(
                p_facility, tstzrange(p_from, p_until), p_at, v_settings.stay_minutes_expected) c
        )
        SELECT z.id, z.code, s.size, s.has_ev_charger, s.is_accessible, count(*)::integer
        FROM public.zones z JOIN public.parking_spots s ON s.zone_id = z.id
        WHERE z.facility_id = p_facility AND z.is_active AND s.is_active
            AND s.status <> 'MAINTENANCE' AND s.size >= p_size
            AND (p_accessible OR NOT s.is_accessible)
            AND (p_wants_charger OR NOT v_settings.ev_spots_kept OR NOT s.has_ev_charger)
            AND NOT EXISTS (SELECT FROM claimed WHERE claimed.spot = s.id)
        GROUP BY z.id, s.size, s.has_ev_charger, s.is_accessible
        ORDER BY z.code, s.size, s.has_ev_charger, s.is_accessible;
END
$$;
