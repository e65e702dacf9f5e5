-- Promises what [p_entry, p_exit) costs by one rule, with its lines, in the order of docs/tariffs.md,
-- "How a price comes about". p_context is that of gate.price_stay_v1.
--
-- Raises GT014 for a minute without a price, GT015 for a rounding that the currency cannot have,
-- GT016 for an unknown validation.
CREATE OR REPLACE FUNCTION gate.price_by_rule_v1(
    p_rule public.pricing_rules,
    p_zone text,
    p_exponent integer,
    p_entry timestamptz,
    p_exit timestamptz,
    p_context jsonb,
    OUT amount numeric,
    OUT lines jsonb
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c CONSTANT jsonb := p_rule.config;
    v_head CONSTANT jsonb := jsonb_build_object('rule', p_rule.id, 'name', p_rule.name);
    v_given CONSTANT jsonb := coalesce(p_context -> 'validations', '[]');
    v_scale CONSTANT numeric := gate.price_scale_v1(c);
    v_unit CONSTANT numeric := v_scale
        * coalesce((c #>> '{rounding,to}')::numeric, 10::numeric ^ -p_exponent);
    v_mode CONSTANT text := coalesce(c #>> '{rounding,mode}', 'half_up');
    v_line_unit CONSTANT numeric := CASE WHEN c #>> '{rounding,per}' = 'line' THEN v_unit END;
    v_factor numeric := 1;
    v_earlier jsonb;
    v_from timestamptz := p_entry;
    v_until timestamptz := p_exit;
    v_validations jsonb[] := '{}';
    v_validation jsonb;
    v_special jsonb;
    v_price numeric;
    v_off numeric;
    v_covered boolean := false;
    v_lines jsonb[];
    v_time record;
    v_one record;
    v_shown numeric;
BEGIN
    IF mod((c #>> '{rounding,to}')::numeric, 10::numeric ^ -p_exponent) <> 0 THEN
        RAISE EXCEPTION 'tariff "%" rounds to %, which the currency does not have', p_rule.name,
            c #>> '{rounding,to}' USING ERRCODE = 'GT015';
    END IF;
    IF jsonb_array_length(v_given) > 1 AND c ->> 'validation_stacking' = 'best' THEN
        FOR v_validation IN SELECT DISTINCT g FROM jsonb_array_elements(v_given) g ORDER BY g LOOP
            SELECT p.amount, p.lines INTO v_one
            FROM gate.price_by_rule_v1(
                p_rule, p_zone, p_exponent, p_entry, p_exit,
                p_context || jsonb_build_object('validations', jsonb_build_array(v_validation))) p;
            IF amount IS NULL OR v_one.amount < amount THEN
                amount := v_one.amount;
                lines := v_one.lines;
            END IF;
        END LOOP;
        RETURN;
    END IF;

    -- Most tariffs have little of what there is: what they lack is not looked for.
    IF c ? 'occupancy' THEN
        v_factor := coalesce((
            SELECT (o.step ->> 'factor')::numeric FROM jsonb_array_elements(c -> 'occupancy') o (step)
            WHERE (o.step ->> 'from_percent')::numeric
                <= coalesce((p_context ->> 'occupancy_percent')::numeric, 0)
            ORDER BY (o.step ->> 'from_percent')::numeric DESC LIMIT 1), 1);
    END IF;
    IF p_context ? 'earlier_visit' THEN
        v_earlier := gate.earlier_visit_v1(p_rule, p_zone, p_entry, p_context);
    END IF;
    IF v_given <> '[]' THEN
        v_validations := ARRAY(SELECT gate.validated_v1(p_rule, v_given));
    END IF;

    -- 1. What moves the begin of the charge.
    v_lines := '{}';
    IF v_earlier IS NOT NULL AND c ->> 'second_visit' = 'continued' THEN
        v_from := p_entry - make_interval(secs => (
            extract(epoch FROM (v_earlier ->> 'exit')::timestamptz)
            - extract(epoch FROM (v_earlier ->> 'entry')::timestamptz))::double precision);
    END IF;
    FOREACH v_validation IN ARRAY v_validations LOOP
        CONTINUE WHEN NOT v_validation ? 'free_minutes';
        v_off := (v_validation ->> 'free_minutes')::numeric;
        v_lines := v_lines || gate.price_line_v1(
            v_head || jsonb_build_object('kind', 'validation', 'validation', v_validation -> 'name',
                'free_minutes', v_off),
            0, v_scale, p_exponent);
        v_from := least(v_from + make_interval(mins => v_off::integer), v_until);
        v_covered := v_from = v_until;
        EXIT WHEN v_covered;
    END LOOP;

    -- 2. What is free.
    IF p_entry = p_exit AND c ->> 'zero_stay' = 'free'
        OR v_covered
        OR p_rule.free_minutes > 0
            AND (v_until < v_from + make_interval(mins => p_rule.free_minutes)
                OR v_until = v_from + make_interval(mins => p_rule.free_minutes)
                    AND c ->> 'free_minutes_limit' = 'inclusive')
    THEN
        amount := 0;
        v_lines := v_lines || gate.price_line_v1(
            v_head || jsonb_build_object('kind', 'free', 'from', gate.utc_text_v1(p_entry),
                'to', gate.utc_text_v1(p_exit), 'free_minutes', p_rule.free_minutes),
            0, v_scale, p_exponent);
    ELSE
        IF p_rule.free_minutes > 0 AND c ->> 'free_minutes_reading' = 'deducted' THEN
            v_lines := v_lines || gate.price_line_v1(
                v_head || jsonb_build_object('kind', 'free', 'from', gate.utc_text_v1(v_from), 'to',
                    gate.utc_text_v1(v_from + make_interval(mins => p_rule.free_minutes)),
                    'free_minutes', p_rule.free_minutes),
                0, v_scale, p_exponent);
            v_from := v_from + make_interval(mins => p_rule.free_minutes);
        END IF;
        IF v_from = v_until THEN
            v_until := v_from + interval '1 microsecond';
        END IF;

        -- 3. and 4. The base price, or a special in its place.
        SELECT t.amount, t.lines, t.costs INTO v_time
        FROM gate.price_time_v1(
            p_rule, p_zone, v_from, v_until, v_factor, (c ->> 'entrance_fee')::numeric, v_scale,
            p_exponent, v_line_unit, v_mode, v_head) t;
        IF c ? 'specials' THEN
            v_special := gate.special_of_v1(p_rule, p_zone, p_entry, p_exit);
            v_price := gate.rounded_line_v1(
                (v_special ->> 'price')::numeric * v_scale, v_line_unit, v_mode);
        END IF;
        IF v_special IS NULL OR c ->> 'special_wins' = 'cheapest' AND v_time.amount <= v_price THEN
            amount := v_time.amount;
            v_lines := v_lines || v_time.lines;
        ELSE
            amount := v_price;
            v_time.costs := (v_special ->> 'price')::numeric > 0;
            v_lines := v_lines || (gate.price_line_v1(
                v_head || jsonb_build_object('kind', 'special', 'special', v_special -> 'name',
                    'from', gate.utc_text_v1(p_entry), 'to', gate.utc_text_v1(p_exit)),
                v_price, v_scale, p_exponent)
                || jsonb_build_object('saved', gate.amount_text_v1(
                    round((v_time.amount - v_price) / v_scale, 10), p_exponent)));
        END IF;

        -- 5. The minimum.
        v_off := (c ->> 'minimum')::numeric * v_scale - amount;
        IF v_off > 0 AND v_time.costs THEN
            v_lines := v_lines || gate.price_line_v1(
                v_head || '{"kind": "minimum"}', v_off, v_scale, p_exponent);
            amount := amount + v_off;
        END IF;

        -- 6. What is taken off.
        IF v_earlier IS NOT NULL THEN
            v_off := least(amount, gate.rounded_line_v1(
                CASE c ->> 'second_visit'
                    WHEN 'continued' THEN v_scale * gate.net_of_tax_v1(
                        c, (v_earlier ->> 'amount')::numeric)
                    ELSE amount * (c ->> 'second_visit_percent')::numeric / 100 END,
                v_line_unit, v_mode));
            v_lines := v_lines || gate.price_line_v1(
                v_head || jsonb_build_object('kind', 'second_visit', 'earlier', v_earlier), -v_off,
                v_scale, p_exponent);
            amount := amount - v_off;
        END IF;
        FOREACH v_validation IN ARRAY v_validations LOOP
            CONTINUE WHEN v_validation ? 'free_minutes';
            v_off := least(amount, gate.rounded_line_v1(
                coalesce(
                    (v_validation ->> 'amount')::numeric * v_scale,
                    amount * (v_validation ->> 'percent')::numeric / 100,
                    amount),
                v_line_unit, v_mode));
            v_lines := v_lines || gate.price_line_v1(
                v_head || jsonb_build_object(
                    'kind', 'validation', 'validation', v_validation -> 'name'),
                -v_off, v_scale, p_exponent);
            amount := amount - v_off;
        END LOOP;

        -- 7. The lost ticket.
        IF (p_context ->> 'lost_ticket')::boolean AND c ? 'lost_ticket' THEN
            v_price := (c #>> '{lost_ticket,amount}')::numeric * v_scale;
            IF c #>> '{lost_ticket,reading}' = 'instead' THEN
                v_lines := '{}';
                amount := 0;
            ELSIF c #>> '{lost_ticket,reading}' = 'at_least' THEN
                v_price := greatest(v_price - amount, 0);
            END IF;
            v_lines := v_lines || gate.price_line_v1(
                v_head || '{"kind": "lost_ticket"}', v_price, v_scale, p_exponent);
            amount := amount + v_price;
        END IF;
    END IF;

    -- 8. Rounding, then taxes. What lines with endless decimals lack is rounded here too.
    v_shown := amount;
    IF v_scale <> 1 THEN
        v_shown := coalesce((
            SELECT sum((l ->> 'amount')::numeric) FROM unnest(v_lines) l), 0);
    END IF;
    amount := gate.rounded_v1(amount, v_unit, v_mode) / v_scale;
    IF v_shown <> amount THEN
        v_lines := v_lines || gate.price_line_v1(
            v_head || jsonb_build_object('kind', 'rounding', 'mode', v_mode), amount - v_shown, 1,
            p_exponent);
    END IF;
    IF c ? 'taxes' THEN
        SELECT amount + t.added, v_lines || t.lines INTO amount, v_lines
        FROM gate.taxes_v1(c, amount, v_lines, p_exponent, v_head) t;
    END IF;
    amount := round(amount, p_exponent);
    lines := to_jsonb(v_lines);
END
$$;
