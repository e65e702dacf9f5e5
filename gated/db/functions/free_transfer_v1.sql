-- Promises that the stay of a vehicle which went from one zone into another without a grant is where
-- that is: on a spot of the zones that the lane fills, else without one. A part of
-- gate.ungranted_passage_v1.
--
-- * One that was let through this lane and not seen passing is this one: it has moved already.
-- * No plate, or one with no stay here: 'nobody_known', and a reconciliation 'transfer_unmatched'.
CREATE OR REPLACE FUNCTION gate.free_transfer_v1(
    p_facility uuid,
    p_passage uuid,
    p_lane uuid,
    p_kind text,
    p_plate text,
    p_after uuid,
    p_at timestamptz,
    p_known text,
    OUT outcome text,
    OUT stay uuid,
    OUT zone uuid,
    OUT spot uuid
)
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_from uuid;
BEGIN
    SELECT c.booking_id INTO stay FROM gate.claims c
    WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';
    IF stay IS NOT NULL THEN
        v_booking := gate.lock_booking_v1(p_facility, stay);
    END IF;
    IF (v_booking.status = 'ACTIVE') IS NOT TRUE THEN
        stay := NULL;
        outcome := 'nobody_known';
        INSERT INTO gate.reconciliations (facility_id, kind, details, created_at)
        VALUES (p_facility, 'transfer_unmatched', jsonb_strip_nulls(jsonb_build_object(
            'passage', p_passage, 'lane', p_lane, 'passed', p_kind, 'plate', p_plate,
            'after', p_after, 'at', gate.utc_text_v1(p_at))), p_at);
        RETURN;
    END IF;

    outcome := 'stay_moved';
    spot := v_booking.spot_id;
    v_from := coalesce(
        (SELECT s.zone_id FROM public.parking_spots s WHERE s.id = spot), v_booking.zone_id);
    UPDATE gate.stay_segments g SET known = p_known
    WHERE g.booking_id = stay AND g.lane_id = p_lane AND g.known IS NULL AND g.position > 1
        AND g.ends_at IS NULL AND g.begins_at > p_at - interval '15 minutes'
    RETURNING g.zone_id INTO zone;
    IF FOUND THEN
        RETURN;
    END IF;
    FOR zone IN
        SELECT l.zone_id FROM gate.lane_zones l
        WHERE l.lane_id = p_lane ORDER BY l.zone_id <> v_from, l.position
    LOOP
        EXIT WHEN zone = v_from AND spot IS NOT NULL;
        spot := (gate.lock_moved_spot_v1(v_booking, p_lane, zone, p_at)).spot;
        EXIT WHEN spot IS NOT NULL;
    END LOOP;
    zone := CASE WHEN spot IS NULL THEN
        (SELECT l.zone_id FROM gate.lane_zones l WHERE l.lane_id = p_lane ORDER BY l.position LIMIT 1)
        ELSE (SELECT s.zone_id FROM public.parking_spots s WHERE s.id = spot) END;
    IF zone IS NULL THEN
        -- A lane that leads nowhere: it is where it was.
        zone := v_from;
        RETURN;
    END IF;
    PERFORM gate.move_on_v1(v_booking, v_from, zone, spot, p_lane, p_at);
    UPDATE gate.stay_segments g SET known = p_known
    WHERE g.booking_id = stay AND g.ends_at IS NULL;
END
$$;
