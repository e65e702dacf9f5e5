-- Promises a spot of the facility that suits the vehicle and is free in a period to come, with its
-- row locked until the transaction ends; null if at one instant of this call there was none. Zones
-- come in the order of their codes (or p_zone alone), kinds of spots as fitting as they are, then
-- the smallest size and the lowest number.
--
-- As gate.lock_spot_v1, but what counts is the period alone: a vehicle may stand there now. What is
-- claimed is looked up once for the whole facility, and once more for the spot that was locked.
CREATE OR REPLACE FUNCTION gate.lock_spot_ahead_v1(
    p_facility uuid,
    p_zone uuid,
    p_size public.spot_size,
    p_chargers boolean[],
    p_accessible boolean[],
    p_during tstzrange,
    p_at timestamptz,
    p_stay_minutes integer,
    p_seed uuid
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_spot uuid;
    v_waits boolean := false;
BEGIN
    FOR attempt IN 1..100 LOOP
        IF v_waits THEN
            -- In turn: one of those who wait looks for a spot, the others cost nothing meanwhile.
            -- Nobody asks for a turn who has a spot in hand.
            PERFORM pg_advisory_xact_lock(hashtextextended(coalesce(p_zone, p_facility)::text, 1));
        END IF;
        -- A subtransaction gives back what it locked and cannot have: whoever waits for a spot
        -- has none in hand, or two could wait for each other.
        BEGIN
            IF NOT v_waits THEN
                SELECT s.id INTO v_spot
                FROM public.zones z
                JOIN public.parking_spots s ON s.zone_id = z.id
                CROSS JOIN LATERAL (
                    SELECT min(k.rank) AS rank
                    FROM unnest(p_chargers, p_accessible)
                        WITH ORDINALITY AS k (charger, accessible, rank)
                    WHERE k.charger = s.has_ev_charger AND k.accessible = s.is_accessible
                ) class
                WHERE z.facility_id = p_facility AND z.is_active AND z.id = coalesce(p_zone, z.id)
                    AND s.is_active AND s.status <> 'MAINTENANCE' AND s.size >= p_size
                    AND class.rank IS NOT NULL
                    AND NOT EXISTS (
                        SELECT
                        FROM gate.claimed_spots_v1(p_facility, p_during, p_at, p_stay_minutes) c
                        WHERE c.spot = s.id)
                ORDER BY z.code, class.rank, s.size, s.spot_order LIMIT 1
                FOR NO KEY UPDATE OF s SKIP LOCKED;
            ELSE
                SELECT s.id INTO v_spot
                FROM public.zones z
                JOIN public.parking_spots s ON s.zone_id = z.id
                WHERE z.facility_id = p_facility AND z.is_active AND z.id = coalesce(p_zone, z.id)
                    AND s.is_active AND s.status <> 'MAINTENANCE' AND s.size >= p_size
                    AND NOT EXISTS (
                        SELECT
                        FROM gate.claimed_spots_v1(p_facility, p_during, p_at, p_stay_minutes) c
                        WHERE c.spot = s.id)
                    AND EXISTS (
                        SELECT FROM unnest(p_chargers, p_accessible) AS k (charger, accessible)
                        WHERE k.charger = s.has_ev_charger AND k.accessible = s.is_accessible)
                -- Those who wait do not all wait for the same one.
                ORDER BY hashtextextended(s.id::text, uuid_hash_extended(p_seed, attempt)) LIMIT 1;
                IF NOT FOUND THEN
                    RETURN NULL;
                END IF;
                PERFORM FROM public.parking_spots s WHERE s.id = v_spot FOR NO KEY UPDATE;
            END IF;
            v_waits := NOT v_waits AND v_spot IS NULL;
            -- A rival's reservation leaves the row as it was: look again, now that the row is ours.
            IF EXISTS (
                SELECT FROM public.parking_spots s
                WHERE s.id = v_spot AND s.is_active AND s.status <> 'MAINTENANCE'
                    AND gate.spot_free_v1(s.id, p_during, p_at, p_stay_minutes))
            THEN
                RETURN v_spot;
            END IF;
            RAISE EXCEPTION 'no spot in this turn' USING ERRCODE = 'GT020';
        EXCEPTION
            WHEN SQLSTATE 'GT020' THEN
                NULL;
        END;
    END LOOP;
    RAISE EXCEPTION 'the free spots of facility % changed hands too often to lock one', p_facility
        USING ERRCODE = 'lock_not_available';
END
$$;
