-- Promises that a stay whose vehicle never came in is undone: cancelled with its reason, claim and
-- spot given back, an open command that was not sent yet cancelled, counters and audit. Answers
-- the zone's available spots; null if there was nothing to cancel (it came in, it left, it was
-- cancelled before by another call).
--
-- Rows are locked in one order everywhere, or two calls could wait for each other for ever: lease,
-- message, claim, booking, spot, command, zone, facility. Each function may leave out some; that
-- of a spot that nobody has claimed yet (gate.admit_v1) is locked first, when it can have no rival.
CREATE OR REPLACE FUNCTION gate.cancel_admission_v1(
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
    v_entry_time timestamptz;
    v_claim gate.claims;
    v_zone uuid;
    v_freed boolean := false;
    v_command gate.commands;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT t.entry_time INTO v_entry_time FROM gate.tickets t WHERE t.booking_id = p_stay;

    PERFORM FROM gate.claims c
    WHERE c.booking_id = p_stay AND c.facility_id = p_facility AND c.kind = 'stay'
    FOR UPDATE;
    UPDATE public.bookings b SET status = 'CANCELLED', cancel_reason = p_reason
    WHERE b.id = p_stay AND b.entry_time = v_entry_time AND b.facility_id = p_facility
        AND b.status = 'ACTIVE' AND b.entry_known IS NULL;
    IF NOT FOUND THEN
        -- The same call again, after a lost answer, finds its own audit row.
        SELECT (a.details ->> 'zone')::uuid INTO v_zone FROM public.audit_logs a
        WHERE a.correlation_id = p_correlation AND a."timestamp" = p_at
            AND a.action = 'stay.cancelled' AND a.resource_id = p_stay;
        RETURN (SELECT z.available_spots FROM public.zones z WHERE z.id = v_zone);
    END IF;

    DELETE FROM gate.claims c WHERE c.booking_id = p_stay AND c.kind = 'stay'
    RETURNING c.* INTO STRICT v_claim;
    UPDATE public.parking_spots s SET status = 'AVAILABLE', current_booking = NULL
    WHERE s.id = v_claim.spot_id AND s.status = 'OCCUPIED'
    RETURNING s.is_active INTO v_freed;
    UPDATE public.parking_spots s SET current_booking = NULL
    WHERE s.id = v_claim.spot_id AND s.current_booking = p_stay;
    FOR v_command IN
        UPDATE gate.commands c SET status = 'cancelled', ended_at = p_at
        WHERE c.stay_id = p_stay AND c.facility_id = p_facility AND c.status = 'accepted'
        RETURNING c.*
    LOOP
        PERFORM gate.record_command_v1(v_command, p_at);
    END LOOP;
    PERFORM gate.record_audit_v1(
        p_facility, 'stay.cancelled', 'booking', p_stay, p_at, p_correlation,
        jsonb_build_object(
            'lane', p_lane, 'zone', v_claim.zone_id, 'spot', v_claim.spot_id, 'reason', p_reason));
    IF coalesce(v_freed, false) THEN
        RETURN gate.count_spots_v1(p_facility, v_claim.zone_id, 1);
    END IF;
    RETURN (SELECT z.available_spots FROM public.zones z WHERE z.id = v_claim.zone_id);
END
$$;
