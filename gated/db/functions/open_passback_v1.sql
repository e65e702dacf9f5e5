-- Promises a violation 'passback' of a plate that came to the entrance while this stay of it had not
-- ended, at the facility's penalty, once for the event. A vehicle that stands there is read again
-- and again: one in a quarter of an hour is enough.
CREATE OR REPLACE FUNCTION gate.open_passback_v1(
    p_booking public.bookings, p_event uuid, p_lane uuid, p_plate text, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.violations v
        WHERE v.facility_id = p_booking.facility_id AND v.status = 'OPEN'
            AND v.plate_number = p_plate AND v.violation_type = 'passback'
            AND v.violation_time > p_at - interval '15 minutes')
    THEN
        RETURN;
    END IF;
    PERFORM gate.open_violation_v1(
        gate.offence_id_v1('passback', p_event::text), p_booking.facility_id, 'passback', p_booking.id,
        p_booking.vehicle_id, p_booking.user_id, p_plate, jsonb_build_object(
            'event', p_event, 'lane', p_lane,
            'inside_since', gate.utc_text_v1(p_booking.entry_time),
            'came_again_at', gate.utc_text_v1(p_at)),
        p_at, p_event);
END
$$;
