-- Promises what parking at a facility would cost in a period that may lie ahead, by the rule
-- versions that are in force then, as far as they are known now. For the web shop, the cash desk,
-- and the estimate of each reservation.
--
-- p_reserved: whether the period would be reserved. p_context adds to what is known of vehicle,
-- user and zone, or overrules it; its keys are those of gate.price_stay_v1, whose errors it raises.
CREATE OR REPLACE FUNCTION gate.quote_v1(
    p_facility uuid,
    p_from timestamptz,
    p_until timestamptz,
    p_vehicle uuid DEFAULT NULL,
    p_user uuid DEFAULT NULL,
    p_zone uuid DEFAULT NULL,
    p_reserved boolean DEFAULT false,
    p_context jsonb DEFAULT '{}'
) RETURNS TABLE (amount numeric, currency char(3), rule_ids uuid[], lines jsonb)
LANGUAGE sql STABLE AS $$
    SELECT q.amount, q.currency, q.rule_ids, q.lines
    FROM gate.price_stay_v1(
        p_facility, p_from, p_until,
        gate.party_context_v1(p_facility, p_vehicle, p_user, p_zone, p_from)
        || CASE WHEN p_reserved AND p_from < p_until THEN jsonb_build_object(
            'reserved_from', gate.utc_text_v1(p_from), 'reserved_until', gate.utc_text_v1(p_until))
            ELSE '{}' END
        || coalesce(p_context, '{}')) q
$$;
