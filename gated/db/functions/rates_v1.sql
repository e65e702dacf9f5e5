-- Promises what the time costs by a rule, a row for each step or tier of each band (of a tariff
-- without bands: of one band without limits), and one for a band that has neither. On the clock of
-- docs/tariffs.md, in seconds, a row holds from `starts` to `ends`; a block of it lasts `block`.
-- Prices are times p_factor, maxima times p_raised. `line` is what is said of a row wherever it is
-- charged; it begins with p_head.
CREATE OR REPLACE FUNCTION gate.rates_v1(
    p_strategy public.pricing_strategy,
    p_config jsonb,
    p_factor numeric,
    p_raised numeric,
    p_head jsonb
) RETURNS TABLE (
    band integer,
    kind text,
    maximum numeric,
    starts numeric,
    ends numeric,
    block numeric,
    times numeric,
    price numeric,
    line jsonb
)
LANGUAGE sql IMMUTABLE AS $$
    SELECT b.n, b.kind,
        (b.band ->> 'maximum')::numeric * p_raised,
        coalesce(r.ends - r.block * r.times, lag(r.ends) OVER w, 0), r.ends, r.block, r.times,
        r.price * p_factor * coalesce(r.block, 1) / coalesce(r.price_seconds, r.block, 1),
        p_head || jsonb_build_object('kind', b.kind, 'band', b.band -> 'name') || r.shown
    FROM (
        SELECT e.n::integer AS n, e.band,
            CASE WHEN e.band ? 'steps' THEN 'block' WHEN e.band ? 'tiers' THEN 'tier'
                WHEN e.band ? 'free' THEN 'free_band' WHEN e.band ? 'unsold' THEN 'unsold'
                ELSE 'flat' END AS kind
        FROM jsonb_array_elements(CASE p_strategy WHEN 'BAND' THEN p_config -> 'bands'
            ELSE jsonb_build_array(p_config) END) WITH ORDINALITY e (band, n)
    ) b
    CROSS JOIN LATERAL (
        SELECT s.n, s.block, (s.step ->> 'times')::numeric AS times,
            sum(coalesce(s.block * (s.step ->> 'times')::numeric, 'Infinity')) OVER (ORDER BY s.n)
                AS ends,
            (s.step ->> 'price')::numeric AS price,
            (s.step ->> 'price_minutes')::numeric * 60 AS price_seconds,
            s.step - 'price' - 'times' || jsonb_build_object('unit_price', s.step -> 'price') AS shown
        FROM (
            SELECT e.n, e.step, coalesce(
                (e.step ->> 'minutes')::numeric * 60, (e.step ->> 'seconds')::numeric) AS block
            FROM jsonb_array_elements(b.band -> 'steps') WITH ORDINALITY e (step, n)
        ) s
        UNION ALL
        SELECT t.n, NULL, NULL, coalesce((t.tier ->> 'up_to_minutes')::numeric * 60, 'Infinity'),
            (t.tier ->> 'price')::numeric, NULL, t.tier - 'price'
        FROM jsonb_array_elements(b.band -> 'tiers') WITH ORDINALITY t (tier, n)
        UNION ALL
        SELECT 1, NULL, NULL, 'Infinity',
            coalesce(b.band ->> 'flat', CASE p_strategy WHEN 'FLAT' THEN p_config ->> 'amount' END, '0')
                ::numeric, NULL, '{}'
        WHERE NOT b.band ? 'steps' AND NOT b.band ? 'tiers'
    ) r
    WINDOW w AS (PARTITION BY b.n ORDER BY r.n)
    ORDER BY b.n, r.n
$$;
