-- Promises a spot of the zone that suits the vehicle and has no claim in the period, with its row
-- locked until the transaction ends; or, in `refusal`, why at one instant of this call there was
-- none: 'zone_full', 'zone_reserved', 'spots_too_small', 'size_taken', 'chargers_kept',
-- 'accessible_kept'.
--
-- First a look that waits for nobody: rivals take different spots. A locked row may yet come free
-- (its transaction may fail), so "none" is believed only when a plain look, which sees committed
-- rows whoever holds them, finds none either; until then we wait for the rival, who holds the row
-- no longer than a commit takes. The claims are the truth: a spot with one in the period is passed
-- over whatever its status says, and they are looked at once more when the row is ours, because a
-- reservation leaves the row of its spot as it was.
--
-- waited_ms: how long it waited for rivals, in turn and for the row; 0 if the first look had one.
--
-- Kinds come as fitting as gate.spot_classes_v1 says; within one, gate.skip_to_spot_v1 decides.
CREATE OR REPLACE FUNCTION gate.lock_spot_v1(
    p_zone uuid,
    p_lane uuid,
    p_size public.spot_size,
    p_wants_charger boolean,
    p_accessible boolean,
    p_during tstzrange,
    p_seed uuid,
    OUT spot uuid,
    OUT refusal text,
    OUT waited_ms real
)
LANGUAGE plpgsql AS $$
DECLARE
    v_fill text;
    v_chargers_kept boolean;
    v_chargers boolean[];
    v_accessible boolean[];
    v_waits boolean := false;
    v_since timestamptz;
BEGIN
    waited_ms := 0;
    SELECT coalesce(zs.fill_policy, 'lowest'), coalesce(fs.ev_spots_kept, true)
    INTO v_fill, v_chargers_kept
    FROM public.zones z
    LEFT JOIN gate.zone_settings zs ON zs.zone_id = z.id
    LEFT JOIN gate.facility_settings fs ON fs.facility_id = z.facility_id
    WHERE z.id = p_zone;
    SELECT k.chargers, k.accessible INTO v_chargers, v_accessible
    FROM gate.spot_classes_v1(p_wants_charger, p_accessible, v_chargers_kept) k;

    FOR attempt IN 1..100 LOOP
        IF v_waits THEN
            -- In turn: one of those who wait looks for a spot, the others cost nothing meanwhile.
            -- Nobody asks for a turn who has a spot in hand.
            v_since := clock_timestamp();
            PERFORM pg_advisory_xact_lock(hashtextextended(p_zone::text, 1));
            waited_ms := waited_ms + gate.ms_since_v1(v_since);
        END IF;
        -- A subtransaction gives back what it locked and cannot have: whoever waits for a spot
        -- has none in hand, or two could wait for each other.
        BEGIN
            IF NOT v_waits THEN
                FOR class IN 1..cardinality(v_chargers) LOOP
                    spot := gate.skip_to_spot_v1(
                        p_zone, p_lane, v_fill, p_size, v_chargers[class], v_accessible[class],
                        p_during, p_seed);
                    EXIT WHEN spot IS NOT NULL;
                END LOOP;
            ELSE
                SELECT s.id INTO spot
                FROM unnest(v_chargers, v_accessible) AS k (charger, accessible)
                JOIN public.parking_spots s
                    ON s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
                    AND s.has_ev_charger = k.charger AND s.is_accessible = k.accessible
                    AND s.size >= p_size
                WHERE NOT EXISTS (
                    SELECT FROM gate.claims c WHERE c.spot_id = s.id AND c.during && p_during)
                -- Those who wait do not all wait for the same one.
                ORDER BY hashtextextended(s.id::text, uuid_hash_extended(p_seed, attempt)) LIMIT 1;
                IF NOT FOUND THEN
                    refusal := gate.why_no_spot_v1(p_zone, p_size, v_chargers, v_accessible);
                    RETURN;
                END IF;
                v_since := clock_timestamp();
                SELECT s.id INTO spot FROM public.parking_spots s
                WHERE s.id = spot AND s.is_active AND s.status = 'AVAILABLE'
                FOR NO KEY UPDATE;
                waited_ms := waited_ms + gate.ms_since_v1(v_since);
            END IF;
            v_waits := NOT v_waits AND spot IS NULL;
            IF spot IS NOT NULL AND NOT EXISTS (
                SELECT FROM gate.claims c WHERE c.spot_id = spot AND c.during && p_during)
            THEN
                RETURN;
            END IF;
            spot := NULL;
            RAISE EXCEPTION 'no spot in this turn' USING ERRCODE = 'GT020';
        EXCEPTION
            WHEN SQLSTATE 'GT020' THEN
                NULL;
        END;
    END LOOP;
    RAISE EXCEPTION 'the free spots of zone % changed hands too often to lock one', p_zone
        USING ERRCODE = 'lock_not_available';
END
$$;
