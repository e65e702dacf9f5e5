-- Promises the pricing rule version that governs stays which begin at p_at and are asked for with
-- p_context (docs/tariffs.md lists its keys); a row of nulls if there is none.
CREATE OR REPLACE FUNCTION gate.rule_in_force_v1(
    p_facility uuid, p_at timestamptz, p_context jsonb DEFAULT '{}'
) RETURNS public.pricing_rules
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_context CONSTANT jsonb := p_context || jsonb_build_object(
        'vehicle_type', coalesce(p_context ->> 'vehicle_type', (
            SELECT s.vehicle_type_default::text FROM gate.facility_settings s
            WHERE s.facility_id = p_facility)));
    v_rule public.pricing_rules;
BEGIN
    SELECT r.* INTO v_rule FROM public.pricing_rules r
    WHERE r.facility_id = p_facility
        AND r.valid_from <= p_at
        AND (r.valid_until IS NULL OR p_at < r.valid_until)
        AND (NOT r.config ? 'for' OR gate.conditions_hold_v1(r.config -> 'for', v_context))
    ORDER BY r.priority DESC, r.valid_from DESC, r.id
    LIMIT 1;
    RETURN v_rule;
END
$$;
