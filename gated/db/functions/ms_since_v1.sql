-- Promises how many milliseconds ago p_since was, by the running clock.
CREATE OR REPLACE FUNCTION gate.ms_since_v1(p_since timestamptz) RETURNS real
LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp() - p_since) * 1000)::real
$$;
