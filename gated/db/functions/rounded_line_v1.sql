-- Promises the amount of a line, rounded where lines are: p_unit is null where they are not.
CREATE OR REPLACE FUNCTION gate.rounded_line_v1(p_amount numeric, p_unit numeric, p_mode text)
RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_unit IS NULL THEN p_amount ELSE gate.rounded_v1(p_amount, p_unit, p_mode) END
$$;
