-- Promises what the same call came to before, with who it was: one row, or none for a call that is
-- new. A call is the same by its request and its time, which its caller drew once.
CREATE OR REPLACE FUNCTION gate.operation_told_v1(
    p_facility uuid, p_event uuid, p_at timestamptz
) RETURNS TABLE (outcome text, user_id uuid, resource uuid, details jsonb)
LANGUAGE sql STABLE AS $$
    SELECT a.details ->> 'outcome', a.user_id, a.resource_id, a.details
    FROM public.audit_logs a
    WHERE a.correlation_id = p_event AND a."timestamp" = p_at AND a.facility_id = p_facility
        AND a.action LIKE 'operator.%'
    LIMIT 1
$$;
