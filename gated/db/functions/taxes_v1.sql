-- Promises the taxes of a price: a line each, with what it adds (nothing if prices are with tax; then
-- with what is contained). Each is on the same amount, never on another tax: on the total, or line
-- by line.
CREATE OR REPLACE FUNCTION gate.taxes_v1(
    p_config jsonb, p_amount numeric, p_lines jsonb[], p_exponent integer, p_head jsonb,
    OUT added numeric, OUT lines jsonb[]
)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_included CONSTANT boolean := (p_config ->> 'tax_included')::boolean;
    v_hundred CONSTANT numeric := 100 + CASE WHEN v_included THEN (
        SELECT sum((t.tax ->> 'percent')::numeric)
        FROM jsonb_array_elements(p_config -> 'taxes') t (tax)) ELSE 0 END;
    v_tax jsonb;
    v_amount numeric;
BEGIN
    added := 0;
    lines := '{}';
    FOR v_tax IN SELECT t.tax FROM jsonb_array_elements(p_config -> 'taxes') t (tax) LOOP
        SELECT sum(gate.rounded_v1(
            b.base * (v_tax ->> 'percent')::numeric, v_hundred * 10::numeric ^ -p_exponent,
            v_tax ->> 'rounding') / v_hundred)
        INTO v_amount
        FROM (
            SELECT p_amount WHERE p_config ->> 'tax_per' = 'total'
            UNION ALL
            SELECT (l ->> 'amount')::numeric FROM unnest(p_lines) l
            WHERE p_config ->> 'tax_per' = 'line'
        ) b (base);
        -- Line by line they may round to less than nothing.
        v_amount := round(greatest(coalesce(v_amount, 0), 0), p_exponent);
        lines := lines || (p_head || jsonb_build_object(
            'kind', 'tax', 'tax', v_tax -> 'name', 'percent', v_tax -> 'percent',
            'included', v_included,
            'amount', gate.amount_text_v1(CASE WHEN v_included THEN 0 ELSE v_amount END, p_exponent))
            || CASE WHEN v_included
                THEN jsonb_build_object('contained', gate.amount_text_v1(v_amount, p_exponent))
                ELSE '{}' END);
        added := added + CASE WHEN v_included THEN 0 ELSE v_amount END;
    END LOOP;
END
$$;
