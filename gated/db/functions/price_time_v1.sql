-- Promises the base price of docs/tariffs.md for [p_from, p_until): p_fee at its begin (null: none),
-- then the time, each line cut to what its band's maximum and each cap's window have left; and the
-- lines of it. Raises what gate.charge_time_v1 raises.
--
-- Amounts are in p_scale-ths of the currency's unit: a price per hour that is charged by the second
-- stays exact. p_unit rounds each line, in p_mode; null: not. p_head is what each line begins with.
CREATE OR REPLACE FUNCTION gate.price_time_v1(
    p_rule public.pricing_rules,
    p_zone text,
    p_from timestamptz,
    p_until timestamptz,
    p_factor numeric,
    p_fee numeric,
    p_scale numeric,
    p_exponent integer,
    p_unit numeric,
    p_mode text,
    p_head jsonb,
    OUT amount numeric,
    OUT lines jsonb[],
    OUT costs boolean
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c CONSTANT jsonb := p_rule.config;
    v_raised CONSTANT numeric := p_scale
        * CASE c ->> 'occupancy_caps' WHEN 'raised' THEN p_factor ELSE 1 END;
    -- The caps that hold in each of their windows; of each the window that is under way.
    k_cap jsonb[] := '{}';
    k_limit numeric[];
    k_line jsonb[];
    k_ends timestamptz[] := '{}';
    k_left numeric[] := '{}';
    k_saved numeric[] := '{}';
    -- Per band with a maximum: the occurrence that is under way.
    b_occurrence date[] := '{}';
    b_left numeric[] := '{}';
    v_cuts timestamptz[] := '{}';
    v_line record;
    v_kept numeric;
    v_caps integer := 0;
    v_shown text;
    v_uncapped numeric := 0;
    v_cap jsonb;
    v_limit numeric;
BEGIN
    amount := 0;
    lines := '{}';
    costs := false;
    IF c ? 'caps' THEN
        -- The lowest last: it is what a line is said to be cut by if several would.
        SELECT array_agg(k.cap ORDER BY k.limit DESC), array_agg(k.limit ORDER BY k.limit DESC),
            array_agg(p_head || jsonb_build_object('kind', 'cap', 'per', k.cap -> 'per', 'limit',
                gate.amount_text_v1(k.limit / p_scale, p_exponent)) ORDER BY k.limit DESC)
        INTO k_cap, k_limit, k_line
        FROM (
            SELECT j.cap, (j.cap ->> 'amount')::numeric * v_raised AS limit
            FROM jsonb_array_elements(c -> 'caps') j (cap)
            WHERE coalesce(j.cap ->> 'reading', 'each') = 'each'
        ) k;
        v_caps := coalesce(cardinality(k_cap), 0);
        v_cuts := ARRAY(
            SELECT DISTINCT b.border
            FROM unnest(k_cap) k (cap), gate.window_borders_v1(
                k.cap ->> 'per', k.cap ->> 'begins', k.cap ->> 'week_begins', p_zone, p_from, p_until)
                b (border)
            ORDER BY 1);
    END IF;

    FOR v_line IN
        SELECT p_from AS starts, NULL::timestamptz AS ends, 0 AS band, NULL::date AS occurrence,
            NULL::numeric AS maximum, p_fee * p_scale AS added, NULL::numeric AS blocks,
            p_head || '{"kind": "entrance"}' AS line
        WHERE p_fee IS NOT NULL
        UNION ALL
        SELECT t.starts, t.ends, t.band, t.occurrence, t.maximum, t.added, t.blocks, t.line
        FROM gate.charge_time_v1(
            p_rule, p_zone, p_from, p_until, p_factor * p_scale, v_raised, v_cuts, p_head) t
    LOOP
        v_kept := CASE WHEN p_unit IS NULL THEN v_line.added
            ELSE gate.rounded_v1(v_line.added, p_unit, p_mode) END;
        -- What is rounded to nothing was not free for that.
        costs := costs OR v_line.added > 0 AND v_kept = 0;
        v_shown := gate.amount_text_v1(
            CASE WHEN p_scale = 1 THEN v_kept ELSE round(v_kept / p_scale, 10) END, p_exponent);
        lines := lines || (v_line.line || CASE
            WHEN v_line.ends IS NULL THEN jsonb_build_object('amount', v_shown)
            WHEN v_line.blocks IS NULL THEN jsonb_build_object(
                'from', gate.utc_text_v1(v_line.starts), 'to', gate.utc_text_v1(v_line.ends),
                'amount', v_shown)
            ELSE jsonb_build_object(
                'from', gate.utc_text_v1(v_line.starts), 'to', gate.utc_text_v1(v_line.ends),
                'blocks', v_line.blocks, 'amount', v_shown) END);
        IF v_line.band = 0 AND c ->> 'entrance_fee_capped' IS DISTINCT FROM 'true' THEN
            v_uncapped := v_kept;
            CONTINUE;
        END IF;
        CONTINUE WHEN v_kept = 0;
        IF v_line.maximum IS NOT NULL THEN
            IF b_occurrence[v_line.band] IS DISTINCT FROM v_line.occurrence
                OR b_left[v_line.band] IS NULL
            THEN
                b_occurrence[v_line.band] := v_line.occurrence;
                b_left[v_line.band] := v_line.maximum;
            END IF;
            IF v_kept > b_left[v_line.band] THEN
                lines := lines || gate.price_line_v1(
                    p_head || jsonb_build_object(
                        'kind', 'maximum', 'band', v_line.line ->> 'band', 'limit',
                        gate.amount_text_v1(v_line.maximum / p_scale, p_exponent)),
                    b_left[v_line.band] - v_kept, p_scale, p_exponent);
                v_kept := b_left[v_line.band];
            END IF;
        END IF;
        FOR i IN 1 .. v_caps LOOP
            IF (v_line.starts < k_ends[i]) IS NOT TRUE THEN
                IF k_saved[i] > 0 THEN
                    lines := lines || gate.price_line_v1(
                        k_line[i], -k_saved[i], p_scale, p_exponent);
                END IF;
                k_saved[i] := 0;
                k_ends[i] := gate.window_ends_v1(
                    k_cap[i] ->> 'per', k_cap[i] ->> 'begins', k_cap[i] ->> 'week_begins', p_zone,
                    p_from, v_line.starts);
                k_left[i] := k_limit[i];
            END IF;
            IF v_kept > k_left[i] THEN
                k_saved[i] := k_saved[i] + v_kept - k_left[i];
                v_kept := k_left[i];
            END IF;
        END LOOP;
        FOR i IN 1 .. v_caps LOOP
            k_left[i] := k_left[i] - v_kept;
        END LOOP;
        IF v_line.maximum IS NOT NULL THEN
            b_left[v_line.band] := b_left[v_line.band] - v_kept;
        END IF;
        amount := amount + v_kept;
    END LOOP;
    FOR i IN 1 .. v_caps LOOP
        IF k_saved[i] > 0 THEN
            lines := lines || gate.price_line_v1(k_line[i], -k_saved[i], p_scale, p_exponent);
        END IF;
    END LOOP;

    IF c ? 'caps' THEN
        FOR v_cap IN SELECT j.cap FROM jsonb_array_elements(c -> 'caps') j (cap)
            WHERE j.cap ->> 'reading' = 'multiplied' AND j.cap ->> 'per' <> 'stay'
        LOOP
            v_limit := (v_cap ->> 'amount')::numeric * v_raised * (1 + (
                SELECT count(*) FROM gate.window_borders_v1(
                    v_cap ->> 'per', v_cap ->> 'begins', v_cap ->> 'week_begins', p_zone, p_from,
                    p_until)));
            IF amount > v_limit THEN
                lines := lines || gate.price_line_v1(
                    p_head || jsonb_build_object('kind', 'cap', 'per', v_cap ->> 'per', 'limit',
                        gate.amount_text_v1(v_limit / p_scale, p_exponent)),
                    v_limit - amount, p_scale, p_exponent);
                amount := v_limit;
            END IF;
        END LOOP;
    END IF;
    amount := amount + v_uncapped;
    costs := costs OR amount > 0;
END
$$;
