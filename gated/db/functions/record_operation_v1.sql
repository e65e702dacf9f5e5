-- Promises the audit row of an operator's act, done or refused, by whom and for which reason.
--
-- One row tells what a request came to, so a call that is repeated after a lost answer finds it:
-- gate.operation_told_v1.
CREATE OR REPLACE FUNCTION gate.record_operation_v1(
    p_facility uuid,
    p_event uuid,
    p_name text,
    p_user uuid,
    p_do text,
    p_resource_type text,
    p_resource uuid,
    p_reason text,
    p_outcome text,
    p_at timestamptz,
    p_details jsonb DEFAULT '{}'
) RETURNS void
LANGUAGE sql AS $$
    SELECT gate.record_audit_v1(
        p_facility, 'operator.' || CASE p_outcome WHEN 'done' THEN p_do ELSE 'refused' END,
        p_resource_type, p_resource, p_at, p_event,
        jsonb_strip_nulls(jsonb_build_object(
            'do', p_do, 'reason', p_reason, 'operator', p_name, 'outcome', p_outcome)
            || p_details),
        coalesce('operator ' || p_name, 'gated'), p_user)
$$;
