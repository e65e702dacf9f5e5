-- Promises one audit row: by the gate itself, or by whoever p_actor and p_user name.
CREATE OR REPLACE FUNCTION gate.record_audit_v1(
    p_facility uuid,
    p_action text,
    p_resource_type text,
    p_resource uuid,
    p_at timestamptz,
    p_correlation uuid,
    p_details jsonb,
    p_actor text DEFAULT 'gated',
    p_user uuid DEFAULT NULL
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO public.audit_logs (
        user_id, action, resource_type, resource_id, "timestamp", facility_id, actor,
        correlation_id, details
    ) VALUES (
        p_user, p_action, p_resource_type, p_resource, p_at, p_facility, p_actor, p_correlation,
        p_details
    )
$$;
