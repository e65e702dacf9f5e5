-- Promises the price of a stay [p_entry, p_exit) with its explanation, or an error; never a silent
-- zero. Everyone who quotes or charges calls this: the gate, the web shop, the cash desk.
--
-- Readings: the version in force at entry with the highest priority governs the whole stay.
-- Durations are absolute time, so a night of a clock change is as long as it was. A block that has
-- begun is charged; the stay is half-open, so exactly 60 minutes are one block of 60 and a stay of
-- no length has begun none. A flat amount is charged for the entry itself, however short. The free
-- minutes cover a stay up to and including them; past them the rule states whether they are taken
-- off ('deducted') or lost ('threshold'). The amount is rounded half up, to the currency's
-- exponent. `p_context` will carry what later rules ask for (vehicle type, memberships, …).
--
-- Lines carry money as text, because JSON readers turn numbers into floats; they sum to the amount.
--
-- Raises GT010 negative stay, GT011 no rule in force, GT012 currency unknown, GT013 no settings.
CREATE OR REPLACE FUNCTION gate.price_stay_v1(
    p_facility uuid,
    p_entry timestamptz,
    p_exit timestamptz,
    p_context jsonb DEFAULT '{}'
) RETURNS TABLE (amount numeric, currency char(3), rule_ids uuid[], lines jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_currency char(3);
    v_exponent integer;
    v_rule public.pricing_rules;
    v_stay_seconds numeric;
    v_free_seconds numeric;
    v_charged_from timestamptz := p_entry;
    v_block_seconds numeric;
    v_blocks numeric;
    v_unit numeric;
    v_line jsonb;
BEGIN
    IF p_entry IS NULL OR p_exit IS NULL
        OR NOT isfinite(p_entry) OR NOT isfinite(p_exit) OR p_exit < p_entry
    THEN
        RAISE EXCEPTION 'a stay cannot end before it began: entry %, exit %',
            p_entry AT TIME ZONE 'UTC', p_exit AT TIME ZONE 'UTC'
            USING ERRCODE = 'GT010';
    END IF;

    SELECT s.currency, c.exponent INTO v_currency, v_exponent
    FROM gate.facility_settings s LEFT JOIN gate.currencies c ON c.code = s.currency
    WHERE s.facility_id = p_facility;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % has no settings', p_facility USING ERRCODE = 'GT013';
    END IF;
    IF v_exponent IS NULL THEN
        RAISE EXCEPTION 'the decimals of currency % are unknown', v_currency
            USING ERRCODE = 'GT012';
    END IF;

    SELECT r.* INTO v_rule FROM public.pricing_rules r
    WHERE r.id = gate.rule_in_force_v1(p_facility, p_entry);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % had no pricing rule in force at %',
            p_facility, p_entry AT TIME ZONE 'UTC'
            USING ERRCODE = 'GT011';
    END IF;

    v_stay_seconds := extract(epoch FROM p_exit) - extract(epoch FROM p_entry);
    v_free_seconds := v_rule.free_minutes * 60::numeric;
    currency := v_currency;
    rule_ids := ARRAY[v_rule.id];
    lines := '[]';

    IF v_rule.free_minutes > 0 AND (
        v_stay_seconds <= v_free_seconds
        OR v_rule.config ->> 'free_minutes_reading' = 'deducted'
    ) THEN
        v_charged_from := least(p_exit, p_entry + make_interval(mins => v_rule.free_minutes));
        lines := lines || jsonb_build_object(
            'kind', 'free',
            'rule', v_rule.id,
            'name', v_rule.name,
            'from', gate.utc_text_v1(p_entry),
            'to', gate.utc_text_v1(v_charged_from),
            'free_minutes', v_rule.free_minutes,
            'amount', round(0::numeric, v_exponent)::text);
    END IF;
    IF v_rule.free_minutes > 0 AND v_stay_seconds <= v_free_seconds THEN
        amount := round(0::numeric, v_exponent);
        RETURN NEXT;
        RETURN;
    END IF;

    v_line := jsonb_build_object(
        'kind', lower(v_rule.strategy::text),
        'rule', v_rule.id,
        'name', v_rule.name,
        'from', gate.utc_text_v1(v_charged_from),
        'to', gate.utc_text_v1(p_exit));
    CASE v_rule.strategy
        WHEN 'FLAT' THEN
            amount := round((v_rule.config ->> 'amount')::numeric, v_exponent);
        WHEN 'BLOCK' THEN
            v_block_seconds := (v_rule.config ->> 'block_minutes')::integer * 60::numeric;
            v_unit := (v_rule.config ->> 'block_price')::numeric;
            -- div and mod are exact; a division rounds to a number of decimals and ceil() would
            -- then charge, or forgive, a block for the last of them.
            v_stay_seconds := extract(epoch FROM p_exit) - extract(epoch FROM v_charged_from);
            v_blocks := div(v_stay_seconds, v_block_seconds)
                + CASE WHEN mod(v_stay_seconds, v_block_seconds) > 0 THEN 1 ELSE 0 END;
            amount := round(v_blocks * v_unit, v_exponent);
            v_line := v_line || jsonb_build_object(
                'block_minutes', (v_rule.config ->> 'block_minutes')::integer,
                'blocks', v_blocks::bigint,
                'unit_price', v_unit::text);
    END CASE;
    lines := lines || (v_line || jsonb_build_object('amount', amount::text));
    RETURN NEXT;
END
$$;
