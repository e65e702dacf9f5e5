-- Promises the number that prices of a config have to be multiplied with, so that each block's is a
-- finite decimal: 1, unless prices are stated for other times than a block's.
CREATE OR REPLACE FUNCTION gate.price_scale_v1(p_config jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_scale numeric := 1;
    v_minutes numeric;
BEGIN
    IF NOT p_config @? 'lax $.steps[*].price_minutes'
        AND NOT p_config @? 'lax $.bands[*].steps[*].price_minutes'
    THEN
        RETURN v_scale;
    END IF;
    FOR v_minutes IN
        SELECT DISTINCT (m #>> '{}')::numeric
        FROM (
            SELECT jsonb_path_query(p_config, 'lax $.steps[*].price_minutes')
            UNION ALL
            SELECT jsonb_path_query(p_config, 'lax $.bands[*].steps[*].price_minutes')
        ) s (m)
    LOOP
        v_scale := lcm(v_scale, v_minutes * 60);
    END LOOP;
    RETURN v_scale;
END
$$;
