-- Promises, in one transaction: the message of a spot's sensor settled, and what it says kept if it
-- is the newest. Repeated words do not move the time since when it is so.
--
-- A sensor that cannot read the plate any more, of a vehicle that has not gone, has read it all the
-- same. One that reads another plate tells of another vehicle.
--
-- Outcomes: as of gate.note_zone_count_v1; 'unknown' for a spot that the zone has not.
CREATE OR REPLACE FUNCTION gate.note_spot_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_zone text,
    p_number text,
    p_occupied boolean,
    p_plate text,
    p_at timestamptz,
    p_heard_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_spot uuid;
    v_before gate.spot_states;
    v_plate text := nullif(gate.plate_normal_v1(p_plate), '');
    v_same boolean;
    v_outcome text := 'unknown';
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_heard_at) e;
    IF v_event.status <> 'new' THEN
        RETURN 'event_done';
    END IF;
    SELECT s.id INTO v_spot
    FROM public.zones z JOIN public.parking_spots s ON s.zone_id = z.id
    WHERE z.facility_id = p_facility AND z.code = p_zone AND s.spot_number = p_number;
    IF FOUND THEN
        INSERT INTO gate.spot_states (
            spot_id, facility_id, occupied, plate, since, heard_at, told_at, event_id
        ) VALUES (
            v_spot, p_facility, p_occupied, v_plate, p_at, p_heard_at, p_at, p_event
        ) ON CONFLICT (spot_id) DO NOTHING;
        v_outcome := CASE WHEN FOUND THEN 'noted' ELSE 'older' END;
    END IF;
    IF v_outcome = 'older' THEN
        SELECT t.* INTO v_before FROM gate.spot_states t WHERE t.spot_id = v_spot
        FOR NO KEY UPDATE;
        IF p_occupied AND v_before.occupied THEN
            v_plate := coalesce(v_plate, v_before.plate);
        END IF;
        v_same := (p_occupied, v_plate) IS NOT DISTINCT FROM (v_before.occupied, v_before.plate);
        UPDATE gate.spot_states t SET
            facility_id = p_facility, occupied = p_occupied, plate = v_plate,
            since = CASE WHEN v_same THEN t.since ELSE p_at END,
            heard_at = CASE WHEN v_same THEN t.heard_at ELSE p_heard_at END,
            noticed_at = CASE WHEN v_same THEN t.noticed_at END,
            told_at = p_at, event_id = p_event
        WHERE t.spot_id = v_spot AND p_at >= t.told_at;
        v_outcome := CASE WHEN FOUND THEN 'noted' ELSE 'older' END;
    END IF;
    PERFORM gate.settle_sensor_v1(p_event, v_event.received_at, v_outcome, p_heard_at);
    RETURN v_outcome;
END
$$;
