-- Promises what an amount that was charged is without the taxes that a rule adds to its prices.
CREATE OR REPLACE FUNCTION gate.net_of_tax_v1(p_config jsonb, p_amount numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_config ->> 'tax_included' = 'false' THEN p_amount * 100 / (
        100 + (SELECT sum((t.tax ->> 'percent')::numeric)
            FROM jsonb_array_elements(p_config -> 'taxes') t (tax))) ELSE p_amount END
$$;
