-- Promises how many blocks of p_block seconds have begun before the clock shows p_clock, of at most
-- p_times (null: any number) from p_starts on; with p_inclusive, also one that begins right then.
CREATE OR REPLACE FUNCTION gate.blocks_begun_v1(
    p_clock numeric, p_starts numeric, p_block numeric, p_times numeric, p_inclusive boolean
) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_clock < p_starts THEN 0 ELSE least(p_times,
        div(p_clock - p_starts, p_block)
        + CASE WHEN p_inclusive OR mod(p_clock - p_starts, p_block) > 0 THEN 1 ELSE 0 END) END
$$;
