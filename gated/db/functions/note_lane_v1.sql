-- Promises a note of a lane, once by its id.
CREATE OR REPLACE FUNCTION gate.note_lane_v1(
    p_facility uuid,
    p_fence bigint,
    p_note uuid,
    p_lane uuid,
    p_at timestamptz,
    p_name text,
    p_detail text,
    p_event uuid
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    INSERT INTO gate.lane_notes (
        id, facility_id, lane_id, at, name, detail, event_id, correlation_id
    ) VALUES (p_note, p_facility, p_lane, p_at, p_name, p_detail, p_event, p_event)
    ON CONFLICT (id) DO NOTHING;
END
$$;
