-- Promises, in one transaction: the event decided, the stay priced at p_at, its price frozen with
-- its explanation, the stay completed, its claim and spot given back, decision and audit written,
-- the open command accepted.
--
-- Outcomes: 'released'; 'no_open_stay', with nothing written; 'event_done', with nothing written.
--
-- * A stay whose exit was granted in the last 15 minutes and whose passage was not seen is the
--   same vehicle, still there: it gets a new decision and a new command at the frozen price.
-- * A call repeated with the same command id after a lost answer gets the first one's answer.
-- * Rows are locked in the order that gate.cancel_admission_v1 states.
-- * The errors of gate.charge_stay_v1 undo everything: nobody leaves at an unknown price.
-- * p_match says why a read that is not the stay's plate was taken for its vehicle; it stands on the
--   stay and in the audit. One that an operator made (gate.match_stay_v1) stands there with his name
--   already, unless the plate was read in the end.
-- * A stay past the end of its reservation, and the facility's grace, is a violation, where the
--   facility lists a penalty; one that was opened while it stood there stands: gate.open_overstay_v1.
-- * A stay that was closed because its vehicle seemed to be gone is released as if it had not been:
--   the vehicle is here. What was left to people about it is settled.
-- * The spot goes to whoever is inside without one, if anybody is.
-- * p_facts: what the verdict rests on, kept with it; and how long the fence and the stay's row were
--   waited for.
CREATE OR REPLACE FUNCTION gate.release_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_stay uuid,
    p_plate text,
    p_plate_raw text,
    p_confidence real,
    p_at timestamptz,
    p_reason text,
    p_command uuid,
    p_device uuid,
    p_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean,
    p_match jsonb DEFAULT NULL,
    p_text text DEFAULT NULL,
    p_facts jsonb DEFAULT NULL
) RETURNS TABLE (
    outcome text, zone uuid, available integer, spot_number text, price numeric, currency char(3),
    due numeric
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_booking public.bookings;
    v_charge record;
    v_spot uuid;
    v_again boolean;
    v_since timestamptz := clock_timestamp();
    v_fence_ms real;
    v_lock_ms real;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    v_fence_ms := gate.ms_since_v1(v_since);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;

    IF v_event.status <> 'new' THEN
        SELECT 'released', d.zone_id, s.spot_number, d.price, d.currency,
            greatest(d.price - gate.paid_v1(d.stay_id), 0)
        INTO outcome, zone, spot_number, price, currency, due
        FROM gate.commands c
        JOIN gate.decisions d ON d.event_id = c.event_id AND d.decided_at = p_at
        LEFT JOIN public.parking_spots s ON s.id = d.spot_id
        WHERE c.id = p_command AND c.facility_id = p_facility AND c.event_id = p_event;
        outcome := coalesce(outcome, 'event_done');
        available := coalesce(gate.zone_available_v1(zone), 0);
        RETURN NEXT;
        RETURN;
    END IF;

    v_since := clock_timestamp();
    v_booking := gate.lock_booking_v1(p_facility, p_stay);
    v_lock_ms := gate.ms_since_v1(v_since);
    IF (
        num_nonnulls(v_booking.spot_id, v_booking.zone_id) > 0
        AND (v_booking.status = 'ACTIVE'
            OR v_booking.status = 'COMPLETED' AND v_booking.exit_known IS NULL
                AND v_booking.final_price IS NOT NULL
                AND v_booking.actual_exit > p_at - interval '15 minutes'
            OR v_booking.status = 'COMPLETED' AND v_booking.closed_reason IS NOT NULL)
    ) IS NOT TRUE THEN
        outcome := 'no_open_stay';
        available := 0;
        RETURN NEXT;
        RETURN;
    END IF;
    v_again := v_booking.status = 'COMPLETED' AND v_booking.closed_reason IS NULL;
    v_spot := v_booking.spot_id;
    SELECT s.zone_id, s.spot_number INTO zone, spot_number
    FROM public.parking_spots s WHERE s.id = v_spot;
    zone := coalesce(zone, v_booking.zone_id);

    IF v_again THEN
        price := v_booking.final_price;
        currency := v_booking.currency;
        due := greatest(price - gate.paid_v1(p_stay), 0);
        UPDATE public.bookings b SET exit_lane_id = p_lane
        WHERE b.id = p_stay AND b.entry_time = v_booking.entry_time
            AND b.exit_lane_id IS DISTINCT FROM p_lane;
    ELSE
        SELECT c.* INTO STRICT v_charge
        FROM gate.charge_stay_v1(p_facility, p_stay, v_booking.entry_time, p_at) c;
        price := v_charge.amount;
        currency := v_charge.currency;
        due := v_charge.due;
        UPDATE public.bookings b SET
            status = 'COMPLETED',
            actual_exit = p_at,
            exit_lane_id = p_lane,
            final_price = v_charge.amount,
            currency = v_charge.currency,
            price_lines = v_charge.lines,
            pricing_rule_id = v_charge.rule_ids[1],
            exit_match = CASE
                WHEN p_plate = b.plate_number
                    OR coalesce(p_match ->> 'reason', 'operator') <> 'operator' THEN p_match
                ELSE nullif(coalesce(b.exit_match, '{}') || coalesce(p_match, '{}'), '{}') END,
            exit_known = NULL,
            closed_reason = NULL
        WHERE b.id = p_stay AND b.entry_time = v_booking.entry_time;
        PERFORM gate.open_overstay_v1(v_booking, p_event, p_lane, p_at);
        IF v_booking.closed_reason IS NOT NULL THEN
            UPDATE gate.reconciliations r SET
                resolved_at = greatest(p_at, r.created_at), resolution = 'it left'
            WHERE r.facility_id = p_facility AND r.kind = 'stay_closed' AND r.resolved_at IS NULL
                AND r.details ->> 'stay' = p_stay::text;
        END IF;
        IF v_spot IS NULL THEN
            PERFORM gate.settle_over_capacity_v1(p_facility, p_stay, p_at, 'it left');
        END IF;
    END IF;

    PERFORM gate.record_audit_v1(
        p_facility, CASE WHEN v_again THEN 'stay.released_again' ELSE 'stay.released' END,
        'booking', p_stay, p_at, p_event,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', p_lane, 'zone', zone, 'spot', v_spot, 'price', price::text,
            'due', due::text, 'currency', currency, 'entitlement', v_booking.entitlement,
            'reason', p_reason, 'command', p_command, 'fence', p_fence, 'match', p_match,
            'closed_before', v_booking.closed_reason)));
    PERFORM gate.record_decision_v1(
        p_facility, p_fence, p_event, v_event.received_at, p_lane, 'grant', p_reason,
        p_plate, p_plate_raw, p_confidence, p_stay, zone, v_spot, price, currency, p_at,
        p_command, p_device, p_do, p_command_reason, p_issued_at, p_expires_at,
        p_taken, p_text, p_facts, v_fence_ms, v_lock_ms);

    IF EXISTS (SELECT FROM gate.claims c WHERE c.facility_id = p_facility AND c.spot_id IS NULL) THEN
        PERFORM gate.seat_stays_v1(p_facility, p_at, p_event, 10);
    END IF;
    outcome := 'released';
    available := gate.zone_available_v1(zone);
    RETURN NEXT;
END
$$;
