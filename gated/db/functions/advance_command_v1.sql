-- Promises that the command has got at least as far as p_status, and answers where it stands;
-- a step back is ignored. Raises GT003 for a command that is not the facility's.
--
-- accepted < dispatched < acknowledged < confirmed. 'failed', 'expired' and 'cancelled' are ends.
-- 'unknown' ends the waiting only: a late report of the hardware still counts. 'expired' after
-- 'dispatched' is the word of the sender itself, which took the command and let it go unsent.
CREATE OR REPLACE FUNCTION gate.advance_command_v1(
    p_facility uuid,
    p_fence bigint,
    p_command uuid,
    p_status text,
    p_error text,
    p_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_command gate.commands;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT c.* INTO v_command FROM gate.commands c
    WHERE c.id = p_command AND c.facility_id = p_facility
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % has no command %', p_facility, p_command
            USING ERRCODE = 'GT003';
    END IF;
    -- The parentheses matter: plpgsql ends the condition of an IF at the first bare THEN.
    IF NOT (CASE p_status
        WHEN 'dispatched' THEN v_command.status = 'accepted'
        WHEN 'acknowledged' THEN v_command.status IN ('accepted', 'dispatched', 'unknown')
        WHEN 'confirmed' THEN
            v_command.status IN ('accepted', 'dispatched', 'acknowledged', 'unknown')
        WHEN 'failed' THEN
            v_command.status IN ('accepted', 'dispatched', 'acknowledged', 'unknown')
        WHEN 'unknown' THEN v_command.status IN ('accepted', 'dispatched')
        WHEN 'expired' THEN v_command.status IN ('accepted', 'dispatched')
        WHEN 'cancelled' THEN v_command.status = 'accepted'
        ELSE false
    END) THEN
        RETURN v_command.status;
    END IF;
    UPDATE gate.commands c SET
        status = p_status,
        error = coalesce(p_error, c.error),
        dispatched_at = CASE p_status WHEN 'dispatched' THEN p_at ELSE c.dispatched_at END,
        acknowledged_at = CASE p_status WHEN 'acknowledged' THEN p_at ELSE c.acknowledged_at END,
        confirmed_at = CASE p_status WHEN 'confirmed' THEN p_at ELSE c.confirmed_at END,
        ended_at = CASE
            WHEN p_status IN ('failed', 'unknown', 'expired', 'cancelled') THEN p_at END
    WHERE c.id = p_command
    RETURNING c.* INTO v_command;
    PERFORM gate.record_command_v1(v_command, p_at);
    RETURN v_command.status;
END
$$;
