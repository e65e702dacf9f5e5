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
-- * The errors of gate.price_stay_v1 undo everything: nobody leaves at an unknown price.
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
    p_taken boolean
) RETURNS TABLE (
    outcome text, zone uuid, available integer, spot_number text, price numeric, currency char(3)
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_claim gate.claims;
    v_charge record;
    v_spot uuid;
    v_freed boolean := false;
    v_again boolean;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;

    IF v_event.status <> 'new' THEN
        SELECT 'released', d.zone_id, s.spot_number, d.price, d.currency
        INTO outcome, zone, spot_number, price, currency
        FROM gate.commands c
        JOIN gate.decisions d ON d.event_id = c.event_id AND d.decided_at = p_at
        JOIN public.parking_spots s ON s.id = d.spot_id
        WHERE c.id = p_command AND c.facility_id = p_facility AND c.event_id = p_event;
        outcome := coalesce(outcome, 'event_done');
        available := coalesce(
            (SELECT z.available_spots FROM public.zones z WHERE z.id = zone), 0);
        RETURN NEXT;
        RETURN;
    END IF;

    DELETE FROM gate.claims c
    WHERE c.booking_id = p_stay AND c.facility_id = p_facility AND c.kind = 'stay'
    RETURNING c.* INTO v_claim;
    v_again := NOT FOUND;
    IF v_again THEN
        SELECT b.spot_id, s.zone_id, s.spot_number, b.final_price, b.currency
        INTO v_spot, zone, spot_number, price, currency
        FROM gate.tickets t
        JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        JOIN public.parking_spots s ON s.id = b.spot_id
        WHERE t.booking_id = p_stay AND b.facility_id = p_facility
            AND b.status = 'COMPLETED' AND b.exit_known IS NULL
            AND b.final_price IS NOT NULL
            AND b.actual_exit > p_at - interval '15 minutes'
        FOR NO KEY UPDATE OF b;
        IF NOT FOUND THEN
            outcome := 'no_open_stay';
            available := 0;
            RETURN NEXT;
            RETURN;
        END IF;
        UPDATE public.bookings b SET exit_lane_id = p_lane
        FROM gate.tickets t
        WHERE t.booking_id = p_stay AND b.id = t.booking_id AND b.entry_time = t.entry_time
            AND b.exit_lane_id IS DISTINCT FROM p_lane;
    ELSE
        SELECT c.* INTO STRICT v_charge
        FROM gate.price_stay_v1(p_facility, v_claim.entry_time, p_at) c;
        zone := v_claim.zone_id;
        v_spot := v_claim.spot_id;
        price := v_charge.amount;
        currency := v_charge.currency;
        UPDATE public.bookings b SET
            status = 'COMPLETED',
            actual_exit = p_at,
            exit_lane_id = p_lane,
            final_price = v_charge.amount,
            currency = v_charge.currency,
            price_lines = v_charge.lines,
            pricing_rule_id = v_charge.rule_ids[1]
        WHERE b.id = v_claim.booking_id AND b.entry_time = v_claim.entry_time;
        -- A spot that somebody took out of service meanwhile stays out of service.
        UPDATE public.parking_spots s SET status = 'AVAILABLE', current_booking = NULL
        WHERE s.id = v_spot AND s.status = 'OCCUPIED'
        RETURNING s.is_active INTO v_freed;
        UPDATE public.parking_spots s SET current_booking = NULL
        WHERE s.id = v_spot AND s.current_booking = p_stay;
        SELECT s.spot_number INTO spot_number FROM public.parking_spots s WHERE s.id = v_spot;
    END IF;

    PERFORM gate.record_audit_v1(
        p_facility, CASE WHEN v_again THEN 'stay.released_again' ELSE 'stay.released' END,
        'booking', p_stay, p_at, p_event,
        jsonb_build_object(
            'lane', p_lane, 'zone', zone, 'spot', v_spot, 'price', price::text,
            'currency', currency, 'reason', p_reason, 'command', p_command, 'fence', p_fence));
    PERFORM gate.record_decision_v1(
        p_facility, p_fence, p_event, v_event.received_at, p_lane, 'grant', p_reason,
        p_plate, p_plate_raw, p_confidence, p_stay, zone, v_spot, price, currency, p_at,
        p_command, p_device, p_do, p_command_reason, p_issued_at, p_expires_at,
        p_taken);

    outcome := 'released';
    IF coalesce(v_freed, false) THEN
        available := gate.count_spots_v1(p_facility, zone, 1);
    ELSE
        SELECT z.available_spots INTO available FROM public.zones z WHERE z.id = zone;
    END IF;
    RETURN NEXT;
END
$$;
