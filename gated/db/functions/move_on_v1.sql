-- Promises that the stay, whose booking is locked, goes on in another zone: on p_spot, or, where that
-- is null, without one and with a reconciliation ('over_capacity'); and that its segments say so. A
-- part of gate.move_stay_v1 and of gate.ungranted_passage_v1.
CREATE OR REPLACE FUNCTION gate.move_on_v1(
    p_booking public.bookings, p_from uuid, p_zone uuid, p_spot uuid, p_lane uuid, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_last gate.stay_segments;
    v_at timestamptz := greatest(p_at, p_booking.entry_time);
BEGIN
    UPDATE public.bookings b SET
        spot_id = p_spot,
        zone_id = CASE WHEN p_spot IS NULL THEN p_zone END,
        entry_known = coalesce(b.entry_known, 'assumed')
    WHERE b.id = p_booking.id AND b.entry_time = p_booking.entry_time;
    PERFORM gate.tell_spotless_v1(p_booking, p_zone, p_spot, p_lane, p_at);
    SELECT g.* INTO v_last FROM gate.stay_segments g
    WHERE g.booking_id = p_booking.id ORDER BY g.position DESC LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO gate.stay_segments (
            booking_id, position, zone_id, spot_id, lane_id, known, begins_at
        ) VALUES (
            p_booking.id, 1, p_from, p_booking.spot_id, p_booking.entry_lane_id,
            coalesce(p_booking.entry_known, 'assumed'), p_booking.entry_time
        ) RETURNING * INTO v_last;
    END IF;
    v_at := greatest(v_at, v_last.begins_at);
    UPDATE gate.stay_segments g SET ends_at = v_at
    WHERE g.booking_id = p_booking.id AND g.position = v_last.position;
    INSERT INTO gate.stay_segments (booking_id, position, zone_id, spot_id, lane_id, begins_at)
    VALUES (p_booking.id, v_last.position + 1, p_zone, p_spot, p_lane, v_at);
END
$$;
