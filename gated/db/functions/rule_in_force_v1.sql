-- Promises the pricing rule version that governs stays which begin at p_at; null if there is none.
CREATE OR REPLACE FUNCTION gate.rule_in_force_v1(p_facility uuid, p_at timestamptz) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT r.id FROM public.pricing_rules r
    WHERE r.facility_id = p_facility
        AND r.valid_from <= p_at
        AND (r.valid_until IS NULL OR p_at < r.valid_until)
    ORDER BY r.priority DESC, r.valid_from DESC, r.id
    LIMIT 1
$$;
