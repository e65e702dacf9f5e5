-- Promises the special of a rule that a stay gets if it gets one: of those that fit, the first
-- listed or the cheapest, as the rule says; null if none fits.
CREATE OR REPLACE FUNCTION gate.special_of_v1(
    p_rule public.pricing_rules, p_zone text, p_entry timestamptz, p_exit timestamptz
) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT s.special
    FROM jsonb_array_elements(p_rule.config -> 'specials') WITH ORDINALITY s (special, n)
    CROSS JOIN (SELECT (p_entry AT TIME ZONE p_zone)::date) e (day)
    CROSS JOIN LATERAL gate.days_kinds_v1(p_rule.facility_id, e.day, e.day) today
    CROSS JOIN LATERAL gate.days_kinds_v1(p_rule.facility_id, e.day - 1, e.day - 1) yesterday
    WHERE gate.special_fits_v1(
        s.special, p_entry AT TIME ZONE p_zone, p_exit AT TIME ZONE p_zone, today.kinds,
        yesterday.kinds)
    ORDER BY
        CASE WHEN p_rule.config ->> 'special_wins' <> 'listed'
            THEN (s.special ->> 'price')::numeric END,
        s.n
    LIMIT 1
$$;
