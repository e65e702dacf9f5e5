-- Promises the minutes since midnight of a reading "HH:MM", "24:00" too.
CREATE OR REPLACE FUNCTION gate.clock_minutes_v1(p_clock text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT split_part(p_clock, ':', 1)::integer * 60 + split_part(p_clock, ':', 2)::integer
$$;
