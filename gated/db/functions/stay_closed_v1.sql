-- Promises what a call of this id that closed a stay answered; no row if there was none.
CREATE OR REPLACE FUNCTION gate.stay_closed_v1(p_stay uuid, p_id uuid)
RETURNS TABLE (ended_at timestamptz, price numeric, currency text, remainder numeric)
LANGUAGE sql STABLE AS $$
    SELECT (a.details ->> 'ended_at')::timestamptz, (a.details ->> 'price')::numeric,
        a.details ->> 'currency', (a.details ->> 'remainder')::numeric
    FROM public.audit_logs a
    WHERE a.correlation_id = p_stay AND a.action = 'stay.closed' AND a.resource_id = p_stay
        AND a.details ->> 'closing' = p_id::text
$$;
