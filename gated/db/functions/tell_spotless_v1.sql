-- Promises that an operator is asked about a stay that is in the zone without a spot, and about one
-- that has one again no more. A part of gate.move_on_v1, gate.cancel_move_v1 and gate.resume_stay_v1.
CREATE OR REPLACE FUNCTION gate.tell_spotless_v1(
    p_booking public.bookings, p_zone uuid, p_spot uuid, p_lane uuid, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_booking.spot_id IS NULL THEN
        PERFORM gate.settle_over_capacity_v1(
            p_booking.facility_id, p_booking.id, p_at, 'it went on into another zone');
    END IF;
    IF p_spot IS NULL THEN
        INSERT INTO gate.reconciliations (facility_id, kind, details, created_at)
        VALUES (p_booking.facility_id, 'over_capacity', jsonb_strip_nulls(jsonb_build_object(
            'lane', p_lane, 'plate', p_booking.plate_number, 'stay', p_booking.id, 'zone', p_zone,
            'at', gate.utc_text_v1(p_at))), p_at);
    END IF;
END
$$;
