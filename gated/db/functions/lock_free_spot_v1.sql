-- Promises the zone's lowest spot that is free for an open-ended stay, with its row locked until
-- the transaction ends; null only if at one instant of this call there was none.
--
-- First a look that waits for nobody: rival entries take different spots. A locked row may yet
-- come free (its transaction may fail), so "none" is believed only when a plain look, which sees
-- committed rows whoever holds them, finds none either; until then we wait for the rivals, who
-- hold their rows no longer than a commit takes. A spot with a live claim is passed over even
-- where its status says AVAILABLE: the claim is the truth. In natural order: A-2 before A-10.
CREATE OR REPLACE FUNCTION gate.lock_free_spot_v1(p_zone uuid, p_at timestamptz) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_spot uuid;
BEGIN
    FOR attempt IN 1..20 LOOP
        SELECT s.id INTO v_spot FROM public.parking_spots s
        WHERE s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
            AND NOT EXISTS (
                SELECT FROM gate.claims c
                WHERE c.spot_id = s.id AND c.during && tstzrange(p_at, NULL))
        ORDER BY s.spot_order LIMIT 1
        FOR NO KEY UPDATE OF s SKIP LOCKED;
        IF FOUND THEN
            RETURN v_spot;
        END IF;

        PERFORM FROM public.parking_spots s
        WHERE s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
            AND NOT EXISTS (
                SELECT FROM gate.claims c
                WHERE c.spot_id = s.id AND c.during && tstzrange(p_at, NULL))
        LIMIT 1;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;

        SELECT s.id INTO v_spot FROM public.parking_spots s
        WHERE s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
            AND NOT EXISTS (
                SELECT FROM gate.claims c
                WHERE c.spot_id = s.id AND c.during && tstzrange(p_at, NULL))
        ORDER BY s.spot_order LIMIT 1
        FOR NO KEY UPDATE OF s;
        IF FOUND THEN
            RETURN v_spot;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'the free spots of zone % changed hands too often to lock one', p_zone
        USING ERRCODE = 'lock_not_available';
END
$$;
