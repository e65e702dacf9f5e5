-- Promises whether an open stay looks like a phantom (one whose vehicle is gone), with all signs of
-- it as evidence, in the order in which they came; changes nothing. One row.
--
-- strength   'strong': one sign that says so by itself, or two that say so together. 'medium': one
--            sign. 'weak': nothing was seen of it for p_days, and its reservation is over.
--            'contradicted': something speaks for it, and something against it. Null: no phantom.
-- seen_at    the last sign of it here.
-- ended_at   when it must have left at the latest: the last sign of it here before it was seen
--            outside.
CREATE OR REPLACE FUNCTION gate.judge_stay_v1(
    p_booking public.bookings, p_at timestamptz, p_days integer
) RETURNS TABLE (
    strength text, seen_at timestamptz, ended_at timestamptz, evidence jsonb
)
LANGUAGE sql STABLE AS $$
    WITH sign AS MATERIALIZED (
        SELECT s.* FROM gate.stay_signs_v1(p_booking, p_at) s
    ), seen AS (
        SELECT max(s.at) FILTER (WHERE s.inside) AS at,
            max(s.at) FILTER (WHERE s.inside AND s.at <= coalesce(
                (SELECT min(g.at) FROM sign g WHERE NOT g.inside), 'infinity')) AS before,
            count(*) FILTER (WHERE s.weight = 2) AS strong,
            count(*) FILTER (WHERE s.weight = 1) AS medium,
            bool_or(s.weight < 0) AS against,
            jsonb_agg(jsonb_build_object(
                'kind', s.kind, 'at', gate.utc_text_v1(s.at)) || s.details ORDER BY s.at, s.kind
            ) AS evidence
        FROM sign s
    )
    SELECT
        CASE
            WHEN v.against AND v.strong + v.medium > 0 THEN 'contradicted'
            WHEN v.against THEN NULL
            WHEN v.strong > 0 OR v.medium > 1 THEN 'strong'
            WHEN v.medium = 1 THEN 'medium'
            WHEN v.at <= p_at - make_interval(days => p_days)
                AND (p_booking.reserved_until > p_at) IS NOT TRUE THEN 'weak'
        END,
        v.at, v.before, v.evidence
    FROM seen v
$$;
