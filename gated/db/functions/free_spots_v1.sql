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
LANGUAGE sql STABLE AS $$
    SELECT z.id, z.code, s.size, s.has_ev_charger, s.is_accessible, count(*)::integer
    FROM public.zones z
    JOIN public.parking_spots s ON s.zone_id = z.id
    JOIN gate.facility_settings f ON f.facility_id = z.facility_id
    WHERE z.facility_id = p_facility AND z.is_active AND s.is_active
        AND s.status <> 'MAINTENANCE' AND s.size >= p_size AND p_from < p_until
        AND (p_accessible OR NOT s.is_accessible)
        AND (p_wants_charger OR NOT f.ev_spots_kept OR NOT s.has_ev_charger)
        AND NOT EXISTS (
            SELECT FROM gate.claims c
            WHERE c.zone_id = z.id AND c.spot_id = s.id
                AND (c.during && tstzrange(p_from, p_until)
                    OR c.kind = 'stay' AND upper(c.during) <= p_at
                        AND p_from < p_at + make_interval(mins => f.stay_minutes_expected)))
    GROUP BY z.id, s.size, s.has_ev_charger, s.is_accessible
    ORDER BY z.code, s.size, s.has_ev_charger, s.is_accessible
$$;
