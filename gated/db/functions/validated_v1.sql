-- Promises the validations of a rule that a stay was given, in the order in which they count.
-- Raises GT016 for a name that the rule does not know.
CREATE OR REPLACE FUNCTION gate.validated_v1(p_rule public.pricing_rules, p_given jsonb)
RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_unknown text;
BEGIN
    SELECT g.name INTO v_unknown
    FROM jsonb_array_elements_text(p_given) g (name)
    WHERE NOT jsonb_path_query_array(p_rule.config, 'lax $.validations[*].name') ? g.name LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'tariff "%" has no validation "%"', p_rule.name, v_unknown
            USING ERRCODE = 'GT016';
    END IF;
    RETURN QUERY
        SELECT v.validation
        FROM jsonb_array_elements_text(p_given) WITH ORDINALITY g (name, n)
        JOIN jsonb_array_elements(p_rule.config -> 'validations') WITH ORDINALITY v (validation, n)
            ON v.validation ->> 'name' = g.name
        ORDER BY CASE p_rule.config ->> 'validation_order' WHEN 'listed' THEN v.n ELSE g.n END, g.n;
END
$$;
