-- Promises, in one transaction: the message of a zone's counter settled, and its count kept if it is
-- the newest.
--
-- Outcomes: 'noted'; 'older', for one that came late; 'unknown', for a zone that the facility has
-- not; 'event_done', with nothing written, for a message that is settled.
CREATE OR REPLACE FUNCTION gate.note_zone_count_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_zone text,
    p_occupied integer,
    p_at timestamptz,
    p_heard_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_zone uuid;
    v_outcome text := 'unknown';
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_heard_at) e;
    IF v_event.status <> 'new' THEN
        RETURN 'event_done';
    END IF;
    SELECT z.id INTO v_zone FROM public.zones z
    WHERE z.facility_id = p_facility AND z.code = p_zone;
    IF FOUND THEN
        INSERT INTO gate.zone_counts AS k (zone_id, facility_id, occupied, counted_at, event_id)
        VALUES (v_zone, p_facility, p_occupied, p_at, p_event)
        ON CONFLICT (zone_id) DO UPDATE SET
            facility_id = excluded.facility_id, occupied = excluded.occupied,
            counted_at = excluded.counted_at, event_id = excluded.event_id
        WHERE excluded.counted_at >= k.counted_at;
        v_outcome := CASE WHEN FOUND THEN 'noted' ELSE 'older' END;
    END IF;
    PERFORM gate.settle_sensor_v1(p_event, v_event.received_at, v_outcome, p_heard_at);
    RETURN v_outcome;
END
$$;
