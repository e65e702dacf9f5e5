-- Promises the multiple of p_unit that p_amount is rounded to: half_up (from zero), half_even,
-- up (from zero) or down (to zero). Exact: div and mod, where a division would round first.
CREATE OR REPLACE FUNCTION gate.rounded_v1(p_amount numeric, p_unit numeric, p_mode text)
RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_unit * sign(p_amount) * (q.units + CASE
        WHEN q.rest = 0 OR p_mode = 'down' THEN 0
        WHEN p_mode = 'up' THEN 1
        WHEN q.rest * 2 <> p_unit THEN (q.rest * 2 > p_unit)::integer
        WHEN p_mode = 'half_even' THEN q.units % 2
        ELSE 1 END)
    FROM (SELECT div(abs(p_amount), p_unit) AS units, mod(abs(p_amount), p_unit) AS rest) q
$$;
