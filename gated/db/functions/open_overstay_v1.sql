-- Promises that a stay which ended past the end of its reservation is a violation, opened once by the
-- event that showed it, where the facility lists a penalty.
CREATE OR REPLACE FUNCTION gate.open_overstay_v1(
    p_booking public.bookings, p_event uuid, p_lane uuid, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_at > p_booking.reserved_until AND EXISTS (
        SELECT FROM gate.penalties p
        WHERE p.facility_id = p_booking.facility_id AND p.violation_type = 'overstay')
    THEN
        PERFORM gate.open_violation_v1(
            p_event, p_booking.facility_id, 'overstay', p_booking.id, p_booking.vehicle_id,
            p_booking.user_id, p_booking.plate_number, jsonb_build_object(
                'reserved_until', gate.utc_text_v1(p_booking.reserved_until),
                'left_at', gate.utc_text_v1(p_at), 'lane', p_lane),
            p_at, p_event);
    END IF;
END
$$;
