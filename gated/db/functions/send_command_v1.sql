-- Promises a command that no decision of its own causes: the arm asked once more for a grant that
-- stands, a display told, an exit held open in an evacuation. Told again with the same id, nothing.
CREATE OR REPLACE FUNCTION gate.send_command_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_plate text,
    p_stay uuid,
    p_command uuid,
    p_device uuid,
    p_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean,
    p_text text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    IF NOT EXISTS (SELECT FROM gate.commands c WHERE c.id = p_command) THEN
        PERFORM gate.add_command_v1(
            p_facility, p_fence, p_event, p_lane, p_plate, p_stay, NULL, NULL, p_command,
            p_device, p_do, p_command_reason, p_issued_at, p_expires_at, p_taken,
            p_text);
    END IF;
END
$$;
