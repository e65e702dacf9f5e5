-- Promises that nothing of the facility stays open past its expiry: what was not sent is 'expired',
-- what was sent and not answered is 'unknown'. Answers the commands that this call ended.
CREATE OR REPLACE FUNCTION gate.expire_commands_v1(
    p_facility uuid, p_fence bigint, p_at timestamptz
) RETURNS TABLE (command uuid, lane uuid, status text)
LANGUAGE plpgsql AS $$
DECLARE
    v_command gate.commands;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    FOR v_command IN
        UPDATE gate.commands c SET
            status = CASE c.status WHEN 'accepted' THEN 'expired' ELSE 'unknown' END,
            ended_at = p_at
        WHERE c.facility_id = p_facility AND c.status IN ('accepted', 'dispatched')
            AND c.expires_at <= p_at
        RETURNING c.*
    LOOP
        PERFORM gate.record_command_v1(v_command, p_at);
        command := v_command.id;
        lane := v_command.lane_id;
        status := v_command.status;
        RETURN NEXT;
    END LOOP;
END
$$;
