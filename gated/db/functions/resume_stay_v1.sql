-- Promises that a release whose vehicle never passed the exit is undone: the stay goes on, on its spot
-- or, where somebody has that by now, on another one of its zone; where the zone has none for it any
-- more it is there without one, and an operator gets a reconciliation ('over_capacity'). It has no
-- exit and no price, an open command that was not sent yet is cancelled, all of it audited.
--
-- What was paid stays paid, and its grace stands as it was: the next release prices the stay anew, and
-- asks for the difference. So does a violation stand that the release has opened.
--
-- Answers the zone that it is in again; null if there was nothing to undo (it passed, it was let out
-- at another lane meanwhile, it was ended without a grant, it was undone before by another call, or
-- its plate has come in anew, so it had left). Rows are locked in the order that
-- gate.cancel_admission_v1 states.
CREATE OR REPLACE FUNCTION gate.resume_stay_v1(
    p_facility uuid,
    p_fence bigint,
    p_stay uuid,
    p_lane uuid,
    p_reason text,
    p_at timestamptz,
    p_correlation uuid
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_spot uuid;
    v_zone uuid;
    v_command gate.commands;
    v_constraint text;
    v_in_grace boolean;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    v_booking := gate.lock_booking_v1(p_facility, p_stay);
    IF (v_booking.status = 'COMPLETED' AND v_booking.exit_lane_id = p_lane
        AND v_booking.exit_known IS NULL AND v_booking.closed_reason IS NULL
        AND v_booking.final_price IS NOT NULL
        AND num_nonnulls(v_booking.spot_id, v_booking.zone_id) > 0) IS NOT TRUE
    THEN
        -- The same call again, after a lost answer, finds its own audit row.
        SELECT (a.details ->> 'zone')::uuid INTO v_zone FROM public.audit_logs a
        WHERE a.correlation_id = p_correlation AND a."timestamp" = p_at
            AND a.action = 'stay.resumed' AND a.resource_id = p_stay;
        RETURN v_zone;
    END IF;
    SELECT s.zone_id INTO v_zone FROM public.parking_spots s WHERE s.id = v_booking.spot_id;
    v_zone := coalesce(v_zone, v_booking.zone_id);
    -- Then its lines are those of what was paid.
    v_in_grace := v_booking.actual_exit
        - gate.evacuated_v1(p_facility, v_booking.paid_at, v_booking.actual_exit)
        <= v_booking.grace_until;

    -- A subtransaction: with a spot in hand that cannot be had nobody may wait for another.
    BEGIN
        SELECT s.id INTO v_spot FROM public.parking_spots s
        WHERE s.id = v_booking.spot_id AND s.is_active AND s.status = 'AVAILABLE'
        FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND OR EXISTS (
            SELECT FROM gate.claims c
            WHERE c.spot_id = v_spot
                AND c.during && tstzrange(v_booking.entry_time, v_booking.expected_exit))
        THEN
            RAISE EXCEPTION 'its spot cannot be had' USING ERRCODE = 'GT020';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'GT020' THEN
            SELECT f.spot INTO v_spot
            FROM gate.lock_moved_spot_v1(v_booking, p_lane, v_zone, p_at) f;
    END;
    BEGIN
        UPDATE public.bookings b SET
            status = 'ACTIVE',
            actual_exit = NULL,
            exit_lane_id = NULL,
            exit_match = NULL,
            final_price = NULL,
            price_lines = CASE WHEN v_in_grace THEN b.price_lines END,
            pricing_rule_id = CASE WHEN v_in_grace THEN b.pricing_rule_id END,
            spot_id = v_spot,
            zone_id = CASE WHEN v_spot IS NULL THEN v_zone END
        WHERE b.id = p_stay AND b.entry_time = v_booking.entry_time;
    EXCEPTION
        WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
            IF v_constraint <> 'claims_stay_plate_key' THEN
                RAISE;
            END IF;
            RETURN NULL;
    END;
    UPDATE gate.stay_segments g SET spot_id = v_spot
    WHERE g.booking_id = p_stay AND g.ends_at IS NULL AND g.spot_id IS DISTINCT FROM v_spot;
    PERFORM gate.tell_spotless_v1(v_booking, v_zone, v_spot, p_lane, p_at);
    FOR v_command IN
        UPDATE gate.commands c SET status = 'cancelled', ended_at = p_at
        WHERE c.stay_id = p_stay AND c.facility_id = p_facility AND c.lane_id = p_lane
            AND c.status = 'accepted'
        RETURNING c.*
    LOOP
        PERFORM gate.record_command_v1(v_command, p_at);
    END LOOP;
    PERFORM gate.record_audit_v1(
        p_facility, 'stay.resumed', 'booking', p_stay, p_at, p_correlation,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', p_lane, 'zone', v_zone, 'spot', v_spot, 'reason', p_reason,
            'price', trim_scale(v_booking.final_price)::text, 'currency', v_booking.currency,
            'match', v_booking.exit_match)));
    RETURN v_zone;
END
$$;
