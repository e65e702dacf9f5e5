-- Promises that a move whose vehicle never passed the lane is undone: the stay goes on where it was,
-- on its earlier spot, or, where somebody has that by now, on another one of that zone; its segments
-- are as if it had not moved, and an open command that was not sent yet is cancelled, all of it
-- audited. Where the zone it came from has no spot for it any more, it is there without one, and an
-- operator gets a reconciliation ('over_capacity').
--
-- Answers the available spots of the zone it is in again; null if there was nothing to undo (it
-- passed, it went on elsewhere, it left, it was undone before by another call). Rows are locked in
-- the order that gate.cancel_admission_v1 states.
CREATE OR REPLACE FUNCTION gate.cancel_move_v1(
    p_facility uuid,
    p_fence bigint,
    p_stay uuid,
    p_lane uuid,
    p_reason text,
    p_at timestamptz,
    p_correlation uuid
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_last gate.stay_segments;
    v_before gate.stay_segments;
    v_spot uuid;
    v_zone uuid;
    v_command gate.commands;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    v_booking := gate.lock_booking_v1(p_facility, p_stay);
    SELECT g.* INTO v_last FROM gate.stay_segments g
    WHERE g.booking_id = p_stay ORDER BY g.position DESC LIMIT 1;
    IF (v_booking.status = 'ACTIVE' AND v_last.position > 1 AND v_last.lane_id = p_lane
        AND v_last.known IS NULL) IS NOT TRUE
    THEN
        -- The same call again, after a lost answer, finds its own audit row.
        SELECT (a.details ->> 'zone')::uuid INTO v_zone FROM public.audit_logs a
        WHERE a.correlation_id = p_correlation AND a."timestamp" = p_at
            AND a.action = 'stay.move_cancelled' AND a.resource_id = p_stay;
        RETURN gate.zone_available_v1(v_zone);
    END IF;
    SELECT g.* INTO STRICT v_before FROM gate.stay_segments g
    WHERE g.booking_id = p_stay AND g.position = v_last.position - 1;
    v_zone := v_before.zone_id;
    IF v_before.spot_id = v_booking.spot_id THEN
        v_spot := v_booking.spot_id;
    ELSE
        -- A subtransaction: with a spot in hand that cannot be had nobody may wait for another.
        BEGIN
            SELECT s.id INTO v_spot FROM public.parking_spots s
            WHERE s.id = v_before.spot_id AND s.zone_id = v_zone AND s.is_active
                AND s.status = 'AVAILABLE'
            FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND OR EXISTS (
                SELECT FROM gate.claims c
                WHERE c.spot_id = v_spot
                    AND c.during && tstzrange(v_booking.entry_time, v_booking.expected_exit))
            THEN
                RAISE EXCEPTION 'its earlier spot cannot be had' USING ERRCODE = 'GT020';
            END IF;
        EXCEPTION
            WHEN SQLSTATE 'GT020' THEN
                SELECT f.spot INTO v_spot
                FROM gate.lock_moved_spot_v1(v_booking, p_lane, v_zone, p_at) f;
        END;
        UPDATE public.bookings b SET
            spot_id = v_spot, zone_id = CASE WHEN v_spot IS NULL THEN v_zone END
        WHERE b.id = p_stay AND b.entry_time = v_booking.entry_time;
        PERFORM gate.tell_spotless_v1(v_booking, v_zone, v_spot, p_lane, p_at);
    END IF;

    DELETE FROM gate.stay_segments g
    WHERE g.booking_id = p_stay AND g.position = v_last.position;
    UPDATE gate.stay_segments g SET ends_at = NULL, spot_id = v_spot
    WHERE g.booking_id = p_stay AND g.position = v_before.position;
    FOR v_command IN
        UPDATE gate.commands c SET status = 'cancelled', ended_at = p_at
        WHERE c.stay_id = p_stay AND c.facility_id = p_facility AND c.lane_id = p_lane
            AND c.status = 'accepted'
        RETURNING c.*
    LOOP
        PERFORM gate.record_command_v1(v_command, p_at);
    END LOOP;
    PERFORM gate.record_audit_v1(
        p_facility, 'stay.move_cancelled', 'booking', p_stay, p_at, p_correlation,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', p_lane, 'zone', v_zone, 'spot', v_spot,
            'reason', p_reason)));
    IF EXISTS (SELECT FROM gate.claims c WHERE c.facility_id = p_facility AND c.spot_id IS NULL) THEN
        PERFORM gate.seat_stays_v1(p_facility, p_at, p_correlation, 10);
    END IF;
    RETURN gate.zone_available_v1(v_zone);
END
$$;
