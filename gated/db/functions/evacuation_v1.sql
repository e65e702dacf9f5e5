-- Promises when the facility's last evacuation before p_at began and ended, within 31 days; until is
-- null while it lasts, both where there was none. The audit of operators' acts is where it stands.
CREATE OR REPLACE FUNCTION gate.evacuation_v1(
    p_facility uuid, p_at timestamptz, OUT since timestamptz, OUT until timestamptz
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT a."timestamp" INTO since FROM public.audit_logs a
    WHERE a."timestamp" > p_at - interval '31 days' AND a."timestamp" <= p_at
        AND a.facility_id = p_facility AND a.action = 'operator.evacuate'
        AND (a.details ->> 'changed')::boolean IS NOT FALSE
    ORDER BY a."timestamp" DESC LIMIT 1;
    SELECT a."timestamp" INTO until FROM public.audit_logs a
    WHERE a."timestamp" >= since AND a."timestamp" <= p_at
        AND a.facility_id = p_facility AND a.action = 'operator.resume'
        AND (a.details ->> 'changed')::boolean IS NOT FALSE
    ORDER BY a."timestamp" LIMIT 1;
END
$$;
