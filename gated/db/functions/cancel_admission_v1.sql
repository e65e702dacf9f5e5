-- Promises that a stay whose vehicle never came in is undone: a reservation waits for its vehicle
-- again, any other stay is cancelled with its reason; the spot is free, the entry of a
-- subscription given back, an open command that was not sent yet cancelled, all of it audited.
-- Answers the zone's available spots; null if there was nothing to cancel (it came in, it left, it
-- was cancelled before by another call, it was let in at another lane since).
--
-- Rows are locked in one order everywhere, or two calls could wait for each other for ever:
-- message, booking, spot, claim, subscription, payment, command. Each function may leave out some; that of
-- a free spot (gate.admit_v1) is locked first, when it can have no rival. Counters are not waited
-- for.
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
    v_booking public.bookings;
    v_zone uuid;
    v_command gate.commands;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    v_booking := gate.lock_booking_v1(p_facility, p_stay);
    IF (v_booking.status = 'ACTIVE' AND v_booking.entry_known IS NULL
        AND v_booking.entry_lane_id = p_lane) IS NOT TRUE
    THEN
        -- The same call again, after a lost answer, finds its own audit row.
        SELECT (a.details ->> 'zone')::uuid INTO v_zone FROM public.audit_logs a
        WHERE a.correlation_id = p_correlation AND a."timestamp" = p_at
            AND a.action = 'stay.cancelled' AND a.resource_id = p_stay;
        RETURN gate.zone_available_v1(v_zone);
    END IF;
    SELECT s.zone_id INTO v_zone FROM public.parking_spots s WHERE s.id = v_booking.spot_id;

    IF v_booking.entitlement = 'reservation' THEN
        -- Within the period that it held until now: nobody else can have claimed that.
        UPDATE public.bookings b SET
            status = 'CONFIRMED',
            entry_time = CASE WHEN b.reserved_from < b.expected_exit
                THEN greatest(b.reserved_from, b.entry_time) ELSE b.entry_time END,
            entry_lane_id = NULL,
            entitlement = NULL
        WHERE b.id = p_stay AND b.entry_time = v_booking.entry_time;
    ELSE
        UPDATE public.bookings b SET
            status = 'CANCELLED', cancel_reason = p_reason, user_subscription_id = NULL,
            entitlement = NULLIF(b.entitlement, 'subscription')
        WHERE b.id = p_stay AND b.entry_time = v_booking.entry_time;
    END IF;
    UPDATE public.user_subscriptions u SET entries_remaining = u.entries_remaining + 1
    WHERE u.id = v_booking.user_subscription_id AND u.entries_remaining IS NOT NULL;
    FOR v_command IN
        UPDATE gate.commands c SET status = 'cancelled', ended_at = p_at
        WHERE c.stay_id = p_stay AND c.facility_id = p_facility AND c.status = 'accepted'
        RETURNING c.*
    LOOP
        PERFORM gate.record_command_v1(v_command, p_at);
    END LOOP;
    PERFORM gate.record_audit_v1(
        p_facility, 'stay.cancelled', 'booking', p_stay, p_at, p_correlation,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', p_lane, 'zone', v_zone, 'spot', v_booking.spot_id, 'reason', p_reason,
            'entitlement', v_booking.entitlement,
            'subscription', v_booking.user_subscription_id)));
    RETURN gate.zone_available_v1(v_zone);
END
$$;
