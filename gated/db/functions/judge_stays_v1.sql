-- Promises which open stays of a facility look like phantoms (their vehicles are gone), and all signs
-- of each as evidence, in the order in which they came; changes nothing. A row for each open stay, or
-- for p_stay alone.
--
-- strength   'strong': one sign that says so by itself, or two that say so together. 'medium': one
--            sign. 'weak': nothing was seen of it for p_days, and its reservation is over.
--            'contradicted': something speaks for it, and something against it. Null: no phantom.
-- seen_at    the last sign of it here.
-- ended_at   when it must have left at the latest: the last sign of it here before it was seen
--            outside.
CREATE OR REPLACE FUNCTION gate.judge_stays_v1(
    p_facility uuid, p_at timestamptz, p_days integer, p_stay uuid DEFAULT NULL
) RETURNS TABLE (
    stay uuid, strength text, seen_at timestamptz, ended_at timestamptz, evidence jsonb
)
LANGUAGE sql STABLE AS $$
    WITH sign AS MATERIALIZED (
        SELECT s.* FROM gate.stay_signs_v1(p_facility, p_at, p_stay) s
    ), gone AS (
        SELECT s.stay, min(s.at) AS at FROM sign s WHERE NOT s.inside GROUP BY s.stay
    ), verdict AS (
        SELECT s.stay, max(s.at) FILTER (WHERE s.inside) AS seen_at,
            max(s.at) FILTER (WHERE s.inside AND s.at <= coalesce(g.at, 'infinity')) AS ended_at,
            count(*) FILTER (WHERE s.weight = 2) AS strong,
            count(*) FILTER (WHERE s.weight = 1) AS medium,
            bool_or(s.weight < 0) AS against,
            bool_or(s.kind = 'reserved') AS reserved,
            jsonb_agg(jsonb_build_object(
                'kind', s.kind, 'at', gate.utc_text_v1(s.at)) || s.details ORDER BY s.at, s.kind
            ) AS evidence
        FROM sign s LEFT JOIN gone g ON g.stay = s.stay
        GROUP BY s.stay
    )
    SELECT v.stay,
        CASE
            WHEN v.against AND v.strong + v.medium > 0 THEN 'contradicted'
            WHEN v.against THEN NULL
            WHEN v.strong > 0 OR v.medium > 1 THEN 'strong'
            WHEN v.medium = 1 THEN 'medium'
            WHEN v.seen_at <= p_at - make_interval(days => p_days) AND NOT v.reserved THEN 'weak'
        END,
        v.seen_at, v.ended_at, v.evidence
    FROM verdict v
$$;
