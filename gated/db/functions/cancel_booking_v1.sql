-- Promises that a booking which has not begun is cancelled with its reason, its spot free, and the
-- act audited. Payments stay: giving them back is gate.refund_v1's.
--
-- Outcomes: 'cancelled', also the second time; 'booking_unknown', 'booking_active' (its vehicle is
-- inside), 'booking_ended', with nothing written.
CREATE OR REPLACE FUNCTION gate.cancel_booking_v1(
    p_facility uuid,
    p_booking uuid,
    p_reason text,
    p_at timestamptz,
    p_actor text DEFAULT 'web',
    p_staff uuid DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
BEGIN
    v_booking := gate.lock_booking_v1(p_facility, p_booking);
    IF v_booking.id IS NULL THEN
        RETURN 'booking_unknown';
    END IF;
    CASE v_booking.status
        WHEN 'CANCELLED' THEN RETURN 'cancelled';
        WHEN 'ACTIVE' THEN RETURN 'booking_active';
        WHEN 'COMPLETED', 'NO_SHOW' THEN RETURN 'booking_ended';
        WHEN 'PENDING', 'CONFIRMED' THEN
            UPDATE public.bookings b SET status = 'CANCELLED', cancel_reason = p_reason
            WHERE b.id = p_booking AND b.entry_time = v_booking.entry_time;
    END CASE;
    PERFORM gate.record_audit_v1(
        p_facility, 'booking.cancelled', 'booking', p_booking, p_at, p_booking,
        jsonb_build_object('reason', p_reason, 'spot', v_booking.spot_id), p_actor, p_staff);
    RETURN 'cancelled';
END
$$;
