-- Promises 'dispatched' to one caller at most: an accepted command in time is taken for sending, an
-- overdue one is ended as 'expired'; any other is left as it stands.
--
-- A command that was taken before answers 'unknown', also to its own taker's repeated call: whether
-- it was sent cannot be known here, and what may have been sent is never sent again.
CREATE OR REPLACE FUNCTION gate.dispatch_command_v1(
    p_facility uuid, p_fence bigint, p_command uuid, p_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_command gate.commands;
    v_status text;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    UPDATE gate.commands c SET
        status = CASE WHEN p_at < c.expires_at THEN 'dispatched' ELSE 'expired' END,
        dispatched_at = CASE WHEN p_at < c.expires_at THEN p_at END,
        ended_at = CASE WHEN p_at < c.expires_at THEN NULL ELSE p_at END
    WHERE c.id = p_command AND c.facility_id = p_facility AND c.status = 'accepted'
    RETURNING c.* INTO v_command;
    IF FOUND THEN
        PERFORM gate.record_command_v1(v_command, p_at);
        RETURN v_command.status;
    END IF;
    SELECT CASE c.status WHEN 'dispatched' THEN 'unknown' ELSE c.status END INTO v_status
    FROM gate.commands c WHERE c.id = p_command AND c.facility_id = p_facility;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % has no command %', p_facility, p_command
            USING ERRCODE = 'GT003';
    END IF;
    RETURN v_status;
END
$$;
