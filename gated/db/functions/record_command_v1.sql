-- Promises an audit row for this step of a command.
CREATE OR REPLACE FUNCTION gate.record_command_v1(p_command gate.commands, p_at timestamptz)
RETURNS void
LANGUAGE sql AS $$
    SELECT gate.record_audit_v1(
        p_command.facility_id, 'command.' || p_command.status, 'command', p_command.id, p_at,
        p_command.event_id,
        jsonb_strip_nulls(jsonb_build_object(
            'do', p_command.do_what, 'lane', p_command.lane_id, 'device', p_command.device_id,
            'stay', p_command.stay_id, 'error', p_command.error)))
$$;
