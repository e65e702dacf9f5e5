-- Promises a free spot of one kind in the zone that is large enough, has no claim in the period and
-- is locked by nobody else, with its row locked from now on; null if there is none. Waits for no one.
--
-- The smallest size comes first; among equals the zone's policy decides: the lowest number in
-- natural order (A-2 before A-10), the nearest to the lane, or spread by chance, which p_seed
-- makes repeatable.
CREATE OR REPLACE FUNCTION gate.skip_to_spot_v1(
    p_zone uuid,
    p_lane uuid,
    p_fill text,
    p_size public.spot_size,
    p_charger boolean,
    p_accessible boolean,
    p_during tstzrange,
    p_seed uuid
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_spot uuid;
BEGIN
    CASE p_fill
        WHEN 'lowest' THEN
            SELECT s.id INTO v_spot FROM public.parking_spots s
            WHERE s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
                AND s.has_ev_charger = p_charger AND s.is_accessible = p_accessible
                AND s.size >= p_size
                AND NOT EXISTS (
                    SELECT FROM gate.claims c WHERE c.spot_id = s.id AND c.during && p_during)
            ORDER BY s.size, s.spot_order LIMIT 1
            FOR NO KEY UPDATE OF s SKIP LOCKED;
        WHEN 'nearest' THEN
            SELECT s.id INTO v_spot
            FROM public.parking_spots s
            LEFT JOIN gate.spot_distances d ON d.spot_id = s.id AND d.lane_id = p_lane
            WHERE s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
                AND s.has_ev_charger = p_charger AND s.is_accessible = p_accessible
                AND s.size >= p_size
                AND NOT EXISTS (
                    SELECT FROM gate.claims c WHERE c.spot_id = s.id AND c.during && p_during)
            ORDER BY s.size, d.metres, s.spot_order LIMIT 1
            FOR NO KEY UPDATE OF s SKIP LOCKED;
        WHEN 'spread' THEN
            SELECT s.id INTO v_spot FROM public.parking_spots s
            WHERE s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
                AND s.has_ev_charger = p_charger AND s.is_accessible = p_accessible
                AND s.size >= p_size
                AND NOT EXISTS (
                    SELECT FROM gate.claims c WHERE c.spot_id = s.id AND c.during && p_during)
            ORDER BY s.size, hashtextextended(s.id::text, uuid_hash_extended(p_seed, 0)) LIMIT 1
            FOR NO KEY UPDATE OF s SKIP LOCKED;
    END CASE;
    RETURN v_spot;
END
$$;
