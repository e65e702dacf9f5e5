-- Promises an amount as text, because JSON readers turn numbers into floats: with the currency's
-- decimals, and with as many more as it has.
CREATE OR REPLACE FUNCTION gate.amount_text_v1(p_amount numeric, p_exponent integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN scale(trim_scale(p_amount)) < p_exponent
        THEN round(p_amount, p_exponent) ELSE trim_scale(p_amount) END::text
$$;
