-- Promises the earlier visit of p_context if it counts for one that begins at p_entry: it ended on
-- the same calendar day, or where the rule says so at most so many minutes before. Else null.
CREATE OR REPLACE FUNCTION gate.earlier_visit_v1(
    p_rule public.pricing_rules, p_zone text, p_entry timestamptz, p_context jsonb
) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT e.visit
    FROM (SELECT p_context -> 'earlier_visit', (p_context #>> '{earlier_visit,exit}')::timestamptz)
        e (visit, ended)
    WHERE p_rule.config ->> 'second_visit' <> 'separate' AND e.ended <= p_entry
        AND CASE WHEN p_rule.config ? 'second_visit_minutes'
            THEN p_entry <= e.ended
                + make_interval(mins => (p_rule.config ->> 'second_visit_minutes')::integer)
            ELSE (e.ended AT TIME ZONE p_zone)::date = (p_entry AT TIME ZONE p_zone)::date END
$$;
