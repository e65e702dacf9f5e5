-- Promises an audit row for each step of a command that moves a barrier; none for the others.
CREATE OR REPLACE FUNCTION gate.record_command_v1(p_command gate.commands, p_at timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_command.do_what <> 'deny' THEN
        PERFORM gate.record_audit_v1(
            p_command.facility_id, 'command.' || p_command.status, 'command', p_command.id, p_at,
            p_command.event_id,
            jsonb_strip_nulls(jsonb_build_object(
                'do', p_command.do_what, 'lane', p_command.lane_id, 'device', p_command.device_id,
                'stay', p_command.stay_id, 'error', p_command.error)));
    END IF;
END
$$;
