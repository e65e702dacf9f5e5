-- Promises a line of a price with its amount, which is given in p_scale-ths of the currency's unit;
-- what it takes off is also what it saved.
CREATE OR REPLACE FUNCTION gate.price_line_v1(
    p_line jsonb, p_amount numeric, p_scale numeric, p_exponent integer
) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_amount CONSTANT numeric := CASE WHEN p_scale = 1 THEN p_amount
        ELSE round(p_amount / p_scale, 10) END;
BEGIN
    IF v_amount < 0 THEN
        RETURN p_line || jsonb_build_object(
            'amount', gate.amount_text_v1(v_amount, p_exponent),
            'saved', gate.amount_text_v1(-v_amount, p_exponent));
    END IF;
    RETURN p_line || jsonb_build_object('amount', gate.amount_text_v1(v_amount, p_exponent));
END
$$;
