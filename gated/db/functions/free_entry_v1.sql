-- Promises that a vehicle which came in without a grant has its stay: on a free spot of the zones
-- that the lane fills, else without one, with a reconciliation 'over_capacity'. A part of
-- gate.ungranted_passage_v1.
--
-- * What covers a stay does so here too: a reservation that is due becomes the stay; a member of
--   staff or a subscriber parks on that right.
-- * A plate that is inside already gets no second stay: the one that was let in here and has not been
--   seen passing is this one; any other is a reconciliation 'already_inside', where the facility's
--   anti-passback is hard. Where it is soft, or was reset, the stay that nobody saw ending ends, as in
--   gate.admit_v1.
CREATE OR REPLACE FUNCTION gate.free_entry_v1(
    p_facility uuid,
    p_passage uuid,
    p_lane uuid,
    p_kind text,
    p_plate text,
    p_plate_raw text,
    p_stay uuid,
    p_at timestamptz,
    p_known text,
    OUT outcome text,
    OUT stay uuid,
    OUT zone uuid,
    OUT spot uuid
)
LANGUAGE plpgsql AS $$
DECLARE
    v_claim gate.claims;
    v_way text;
    v_old public.bookings;
    v_known record;
    v_right text;
    v_subscription uuid;
    v_got text;
    v_opened uuid;
    v_constraint text;
BEGIN
    SELECT c.* INTO v_claim FROM gate.claims c
    WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';
    IF FOUND THEN
        outcome := 'already_inside';
        stay := v_claim.booking_id;
        UPDATE public.bookings b SET entry_known = p_known
        WHERE b.id = v_claim.booking_id AND b.entry_time = v_claim.entry_time
            AND b.status = 'ACTIVE' AND b.entry_lane_id = p_lane AND b.entry_known IS NULL
            AND b.entry_time > p_at - interval '15 minutes';
        IF FOUND THEN
            RETURN;
        END IF;
        SELECT CASE WHEN v_claim.entry_time < s.passback_reset_at THEN 'reset'
            ELSE s.anti_passback END
        INTO v_way FROM gate.facility_settings s WHERE s.facility_id = p_facility;
        IF (v_way IN ('soft', 'reset')) IS NOT TRUE THEN
            INSERT INTO gate.reconciliations (facility_id, kind, details, created_at)
            VALUES (p_facility, 'already_inside', jsonb_build_object(
                'passage', p_passage, 'lane', p_lane, 'passed', p_kind, 'plate', p_plate,
                'stay', stay, 'at', gate.utc_text_v1(p_at)), p_at);
            RETURN;
        END IF;
        v_old := gate.lock_booking_v1(p_facility, v_claim.booking_id);
        IF v_old.status = 'ACTIVE' THEN
            PERFORM gate.end_passback_v1(v_old, v_way, p_passage, p_lane, p_plate, p_at);
        END IF;
        stay := NULL;
    END IF;

    outcome := 'stay_opened';
    SELECT s.vehicle, s.owner, s.booking, s.booking_zone, s.subscription, s.staff INTO v_known
    FROM gate.plate_snapshot_v1(p_facility, p_plate, 'entry', p_at) s;
    FOR attempt IN 1..3 LOOP
        BEGIN
            IF v_known.booking IS NOT NULL THEN
                SELECT a.outcome, a.stay INTO v_got, v_opened
                FROM gate.admit_booking_v1(
                    p_facility, v_known.booking, p_lane, v_known.booking_zone, p_plate, p_plate_raw,
                    p_at, v_known.vehicle) a;
                EXIT WHEN v_got = 'admitted';
                v_known.booking := NULL;
            END IF;
            v_right := CASE WHEN v_known.staff THEN 'staff'
                WHEN v_known.subscription IS NOT NULL THEN 'subscription' END;
            v_subscription := CASE WHEN v_right = 'subscription' THEN v_known.subscription END;
            FOR zone IN
                SELECT l.zone_id FROM gate.lane_zones l WHERE l.lane_id = p_lane ORDER BY l.position
            LOOP
                SELECT a.outcome, a.stay INTO v_got, v_opened
                FROM gate.admit_walk_in_v1(
                    p_facility, p_stay, p_lane, zone, p_plate, p_plate_raw, p_at, v_known.vehicle,
                    v_known.owner, v_right, v_subscription) a;
                IF v_got IN ('right_expired', 'right_used_up') THEN
                    -- It went with another vehicle a moment ago: this one comes without.
                    SELECT a.outcome, a.stay INTO v_got, v_opened
                    FROM gate.admit_walk_in_v1(
                        p_facility, p_stay, p_lane, zone, p_plate, p_plate_raw, p_at,
                        v_known.vehicle, v_known.owner, NULL, NULL) a;
                END IF;
                EXIT WHEN v_got = 'admitted';
            END LOOP;
            EXIT WHEN v_got = 'admitted';
            zone := coalesce(
                (SELECT l.zone_id FROM gate.lane_zones l JOIN public.zones z ON z.id = l.zone_id
                 WHERE l.lane_id = p_lane ORDER BY NOT z.is_active, l.position LIMIT 1),
                (SELECT z.id FROM public.zones z
                 WHERE z.facility_id = p_facility ORDER BY NOT z.is_active, z.code LIMIT 1));
            IF v_subscription IS NOT NULL AND gate.take_entry_v1(
                p_facility, v_subscription, v_known.owner, p_at) <> 'admitted'
            THEN
                v_right := NULL;
                v_subscription := NULL;
            END IF;
            INSERT INTO public.bookings (
                id, user_id, vehicle_id, zone_id, facility_id, booking_type, status, entry_time,
                expected_exit, plate_number, plate_raw, currency, price_context, entry_lane_id,
                entitlement, user_subscription_id
            )
            SELECT p_stay, v_known.owner, v_known.vehicle, free_entry_v1.zone, p_facility,
                (CASE WHEN v_subscription IS NULL THEN 'WALK_IN' ELSE 'SUBSCRIPTION' END)
                    ::public.booking_type,
                'ACTIVE', p_at, p_at + make_interval(mins => s.stay_minutes_expected), p_plate,
                p_plate_raw, s.currency, gate.entry_context_v1(p_facility, p_at), p_lane, v_right,
                v_subscription
            FROM gate.facility_settings s WHERE s.facility_id = p_facility;
            INSERT INTO gate.reconciliations (facility_id, kind, details, created_at)
            VALUES (p_facility, 'over_capacity', jsonb_strip_nulls(jsonb_build_object(
                'passage', p_passage, 'lane', p_lane, 'passed', p_kind, 'plate', p_plate,
                'stay', p_stay, 'zone', zone, 'at', gate.utc_text_v1(p_at))), p_at);
            v_opened := p_stay;
            EXIT;
        EXCEPTION
            WHEN unique_violation OR exclusion_violation THEN
                GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
                CASE
                    WHEN v_constraint = 'claims_stay_plate_key' THEN
                        -- A rival was faster with this plate: now it is inside.
                        SELECT f.* INTO outcome, stay, zone, spot
                        FROM gate.free_entry_v1(
                            p_facility, p_passage, p_lane, p_kind, p_plate, p_plate_raw, p_stay,
                            p_at, p_known) f;
                        RETURN;
                    WHEN v_constraint IN ('claims_spot_excl', 'claims_stay_spot_key')
                        AND attempt < 3
                    THEN
                        NULL;
                    ELSE
                        RAISE;
                END CASE;
        END;
    END LOOP;
    stay := v_opened;
    UPDATE public.bookings b SET entry_known = p_known
    WHERE b.id = stay AND b.entry_time = p_at
    RETURNING b.spot_id, b.zone_id INTO spot, zone;
    zone := coalesce(zone, (SELECT s.zone_id FROM public.parking_spots s WHERE s.id = spot));
END
$$;
