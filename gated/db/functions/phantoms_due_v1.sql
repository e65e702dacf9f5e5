-- Promises the stays that the policy of a facility has closed by now: phantoms without a sign for
-- phantom_close_days. None where the policy is to list them. Changes nothing.
CREATE OR REPLACE FUNCTION gate.phantoms_due_v1(p_facility uuid, p_at timestamptz)
RETURNS SETOF uuid
LANGUAGE sql STABLE AS $$
    SELECT p.stay
    FROM gate.facility_settings f
    CROSS JOIN LATERAL gate.phantom_stays_v1(f.facility_id, p_at, f.phantom_close_days) p
    WHERE f.facility_id = p_facility AND f.phantom_policy = 'close_after_days'
        AND p.strength <> 'contradicted'
        AND p.seen_at <= p_at - make_interval(days => f.phantom_close_days)
$$;
