-- Promises the price of a stay [p_entry, p_exit) with its explanation, or an error; never a silent
-- zero. Everyone who quotes or charges calls this: the gate, the web shop, the cash desk.
-- docs/tariffs.md says what a tariff means, how a price comes about, and the keys of p_context.
--
-- The version in force at entry governs the whole stay; of a reserved one whose rule sells the
-- reserved period, the version in force at the begin of that.
--
-- Lines carry money as text, because JSON readers turn numbers into floats; they sum to the amount.
--
-- Raises GT010 negative, unfinished or endless stay, GT011 no rule in force, GT012 currency unknown, GT013 no
-- settings, GT014 a minute without a price,
-- GT015 rounding that the currency cannot have, GT016 unknown validation, GT017 context not understood.
CREATE OR REPLACE FUNCTION gate.price_stay_v1(
    p_facility uuid,
    p_entry timestamptz,
    p_exit timestamptz,
    p_context jsonb DEFAULT '{}'
) RETURNS TABLE (amount numeric, currency char(3), rule_ids uuid[], lines jsonb)
LANGUAGE plpgsql STABLE
-- What it runs is planned once for each session, whatever the values; that costs more than to run.
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
DECLARE
    -- Longer than any stay that somebody meant, and short enough to be priced.
    c_seconds_max CONSTANT numeric := 10 * 366 * 86400;
    v_context jsonb := coalesce(p_context, '{}');
    v_zone text;
    v_exponent integer;
    v_rule public.pricing_rules;
    v_reserved tstzrange;
    v_part record;
    v_price record;
BEGIN
    IF p_entry IS NULL OR p_exit IS NULL
        OR NOT isfinite(p_entry) OR NOT isfinite(p_exit) OR p_exit < p_entry
    THEN
        RAISE EXCEPTION 'a stay needs an entry, and an exit that is not before it: entry %, exit %',
            p_entry AT TIME ZONE 'UTC', p_exit AT TIME ZONE 'UTC'
            USING ERRCODE = 'GT010';
    ELSIF extract(epoch FROM p_exit) - extract(epoch FROM p_entry) > c_seconds_max
        OR extract(year FROM p_entry AT TIME ZONE 'UTC') NOT BETWEEN 1970 AND 2200
    THEN
        RAISE EXCEPTION 'a stay of at most ten years is priced, between 1970 and 2200: entry %, exit %',
            p_entry AT TIME ZONE 'UTC', p_exit AT TIME ZONE 'UTC'
            USING ERRCODE = 'GT010';
    END IF;
    PERFORM gate.check_context_v1(v_context, p_entry, c_seconds_max);

    SELECT s.currency, c.exponent, s.time_zone INTO currency, v_exponent, v_zone
    FROM gate.facility_settings s LEFT JOIN gate.currencies c ON c.code = s.currency
    WHERE s.facility_id = p_facility;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % has no settings', p_facility USING ERRCODE = 'GT013';
    END IF;
    IF v_exponent IS NULL THEN
        RAISE EXCEPTION 'the decimals of currency % are unknown', currency
            USING ERRCODE = 'GT012';
    END IF;

    v_rule := gate.rule_in_force_v1(p_facility, p_entry, v_context);
    IF v_context ? 'reserved_from' THEN
        v_reserved := tstzrange(
            (v_context ->> 'reserved_from')::timestamptz, (v_context ->> 'reserved_until')::timestamptz);
        IF v_rule.config ? 'reservation' THEN
            v_rule := gate.rule_in_force_v1(p_facility, lower(v_reserved), v_context);
        END IF;
    END IF;

    amount := 0;
    rule_ids := '{}';
    FOR v_part IN
        SELECT r.starts, r.ends, r.reserved
        FROM gate.charged_periods_v1(v_rule.config -> 'reservation', p_entry, p_exit, v_reserved) r
    LOOP
        IF NOT v_part.reserved THEN
            v_rule := gate.rule_in_force_v1(
                p_facility, v_part.starts, v_context - 'reserved_from' - 'reserved_until');
        END IF;
        IF v_rule.id IS NULL THEN
            RAISE EXCEPTION 'facility % had no pricing rule in force at %',
                p_facility, v_part.starts AT TIME ZONE 'UTC'
                USING ERRCODE = 'GT011';
        END IF;
        SELECT p.amount, p.lines INTO v_price
        FROM gate.price_by_rule_v1(
            v_rule, v_zone, v_exponent, v_part.starts, v_part.ends, v_context) p;
        -- What concerns the stay as a whole counts once.
        v_context := v_context - '{validations,lost_ticket,earlier_visit}'::text[];
        amount := amount + v_price.amount;
        rule_ids := rule_ids || v_rule.id;
        lines := coalesce(lines || v_price.lines, v_price.lines);
    END LOOP;
    RETURN NEXT;
END
$$;
