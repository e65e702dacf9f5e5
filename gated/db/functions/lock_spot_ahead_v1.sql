-- Promises a spot of the zone that suits the vehicle and is free in a period to come, with its row
-- locked until the transaction ends; null if at one instant of this call there was none.
--
-- As gate.lock_spot_v1, but what counts is the period alone: a vehicle may stand there now.
CREATE OR REPLACE FUNCTION gate.lock_spot_ahead_v1(
    p_zone uuid,
    p_size public.spot_size,
    p_chargers boolean[],
    p_accessible boolean[],
    p_during tstzrange,
    p_at timestamptz,
    p_stay_minutes integer
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_spot uuid;
BEGIN
    FOR attempt IN 1..50 LOOP
        FOR class IN 1..cardinality(p_chargers) LOOP
            SELECT s.id INTO v_spot FROM public.parking_spots s
            WHERE s.zone_id = p_zone AND s.is_active AND s.status <> 'MAINTENANCE'
                AND s.has_ev_charger = p_chargers[class]
                AND s.is_accessible = p_accessible[class] AND s.size >= p_size
                AND gate.spot_free_v1(s.id, p_during, p_at, p_stay_minutes)
            ORDER BY s.size, s.spot_order LIMIT 1
            FOR NO KEY UPDATE OF s SKIP LOCKED;
            EXIT WHEN FOUND;
        END LOOP;
        IF v_spot IS NULL THEN
            SELECT s.id INTO v_spot
            FROM unnest(p_chargers, p_accessible) AS k (charger, accessible)
            JOIN public.parking_spots s
                ON s.zone_id = p_zone AND s.is_active AND s.status <> 'MAINTENANCE'
                AND s.has_ev_charger = k.charger AND s.is_accessible = k.accessible
                AND s.size >= p_size
            WHERE gate.spot_free_v1(s.id, p_during, p_at, p_stay_minutes)
            LIMIT 1;
            IF NOT FOUND THEN
                RETURN NULL;
            END IF;
            SELECT s.id INTO v_spot FROM public.parking_spots s
            WHERE s.id = v_spot AND s.is_active AND s.status <> 'MAINTENANCE'
            FOR NO KEY UPDATE;
        END IF;
        -- A rival's reservation leaves the row as it was: look again, now that the row is ours.
        IF v_spot IS NOT NULL AND gate.spot_free_v1(v_spot, p_during, p_at, p_stay_minutes) THEN
            RETURN v_spot;
        END IF;
        v_spot := NULL;
    END LOOP;
    RAISE EXCEPTION 'the free spots of zone % changed hands too often to lock one', p_zone
        USING ERRCODE = 'lock_not_available';
END
$$;
