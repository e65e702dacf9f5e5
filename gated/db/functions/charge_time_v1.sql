-- Promises what [p_from, p_until) costs by a rule, a row for each line and in their order: what the
-- line adds, from when to when, for how many blocks, the band (from 1) and its occurrence with the
-- maximum that holds for that one. Before caps and everything else. p_cuts are the instants at which
-- a line has to end; p_head is what each line begins with.
--
-- A piece from clock reading a to b costs what its band charges for b, less what it charges for a:
-- the blocks that begin in between, or the difference of two tiers.
--
-- Raises GT014 for a minute without a price.
CREATE OR REPLACE FUNCTION gate.charge_time_v1(
    p_rule public.pricing_rules,
    p_zone text,
    p_from timestamptz,
    p_until timestamptz,
    p_factor numeric,
    p_raised numeric,
    p_cuts timestamptz[],
    p_head jsonb
) RETURNS TABLE (
    starts timestamptz,
    ends timestamptz,
    band integer,
    occurrence date,
    maximum numeric,
    added numeric,
    blocks numeric,
    line jsonb
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c CONSTANT jsonb := p_rule.config;
    -- The rates, column by column, those of a band one after the other.
    r_band integer[];
    r_kind text[];
    r_maximum numeric[];
    r_starts numeric[];
    r_ends numeric[];
    r_block numeric[];
    r_times numeric[];
    r_price numeric[];
    r_line jsonb[];
    v_days timestamptz[];
    v_day integer := 1;
    v_cut integer := 1;
    v_piece record;
    v_band_before integer;
    -- Per band: the occurrence whose flat amount is charged.
    v_charged date[] := '{}';
    -- Those of the band in hand.
    v_rates integer[];
    v_first integer;
    v_last integer;
    v_kind text;
    v_clock numeric := 0;
    v_clock_after numeric;
    v_at timestamptz;
    v_next timestamptz;
    -- Whether what begins exactly at the end is charged too.
    v_inclusive boolean;
    v_told boolean;
BEGIN
    SELECT array_agg(r.band), array_agg(r.kind), array_agg(r.maximum), array_agg(r.starts),
        array_agg(r.ends), array_agg(r.block), array_agg(r.times), array_agg(r.price),
        array_agg(r.line)
    INTO r_band, r_kind, r_maximum, r_starts, r_ends, r_block, r_times, r_price, r_line
    FROM gate.rates_v1(p_rule.strategy, c, p_factor, p_raised, p_head) r;
    IF c ->> 'new_day' <> 'continue' THEN
        v_days := ARRAY(SELECT gate.window_borders_v1(
            c ->> 'new_day', c ->> 'day_begins', NULL, p_zone, p_from, p_until));
    END IF;

    FOR v_piece IN
        SELECT p.starts, p.ends, p.band, p.occurrence
        FROM gate.band_pieces_v1(p_rule.facility_id, p_zone, c -> 'bands', p_from, p_until) p
        WHERE p_rule.strategy = 'BAND'
        UNION ALL
        SELECT p_from, p_until, 1, NULL WHERE p_rule.strategy <> 'BAND'
    LOOP
        band := v_piece.band;
        occurrence := v_piece.occurrence;
        IF band IS NULL THEN
            RAISE EXCEPTION 'tariff "%" has no price from % on', p_rule.name,
                v_piece.starts AT TIME ZONE p_zone USING ERRCODE = 'GT014';
        END IF;
        IF band <> v_band_before AND c ->> 'band_border' = 'restart' THEN
            v_clock := 0;
        END IF;
        v_band_before := band;
        v_rates := array_positions(r_band, band);
        v_first := v_rates[1];
        v_last := v_first + cardinality(v_rates) - 1;
        v_kind := r_kind[v_first];
        maximum := r_maximum[v_first];
        v_at := v_piece.starts;
        WHILE v_at < v_piece.ends LOOP
            WHILE v_days[v_day] <= v_at LOOP
                v_clock := 0;
                v_day := v_day + 1;
            END LOOP;
            WHILE p_cuts[v_cut] <= v_at LOOP
                v_cut := v_cut + 1;
            END LOOP;
            v_next := least(v_piece.ends, v_days[v_day], p_cuts[v_cut]);
            v_clock_after := v_clock + extract(epoch FROM v_next) - extract(epoch FROM v_at);
            v_inclusive := v_next = p_until AND c ->> 'limit_reading' = 'exclusive';
            starts := v_at;
            ends := v_next;
            added := 0;
            blocks := NULL;
            line := r_line[v_first];
            CASE v_kind
                WHEN 'block' THEN
                    v_told := false;
                    FOR i IN v_first .. v_last LOOP
                        CONTINUE WHEN v_clock >= r_ends[i];
                        EXIT WHEN v_clock_after < r_starts[i];
                        blocks := gate.blocks_begun_v1(
                                v_clock_after, r_starts[i], r_block[i], r_times[i], v_inclusive)
                            - gate.blocks_begun_v1(
                                v_clock, r_starts[i], r_block[i], r_times[i], false);
                        IF blocks > 0 THEN
                            added := blocks * r_price[i];
                            line := r_line[i];
                            RETURN NEXT;
                            v_told := true;
                        END IF;
                    END LOOP;
                    IF NOT v_told THEN
                        -- What was paid before lasts over this time.
                        added := 0;
                        blocks := 0;
                        RETURN NEXT;
                    END IF;
                WHEN 'tier' THEN
                    FOR i IN v_first .. v_last LOOP
                        IF v_clock > r_starts[i] THEN
                            added := -r_price[i];
                        END IF;
                    END LOOP;
                    FOR i IN v_first .. v_last LOOP
                        IF v_clock_after <= r_ends[i] AND (
                            NOT v_inclusive OR v_clock_after < r_ends[i] OR i = v_last)
                        THEN
                            added := added + r_price[i];
                            line := r_line[i];
                            EXIT;
                        END IF;
                    END LOOP;
                    RETURN NEXT;
                ELSE
                    IF v_at = v_piece.starts THEN
                        IF v_kind = 'flat' AND (v_charged[band] = occurrence) IS NOT TRUE THEN
                            added := r_price[v_first];
                            v_charged[band] := occurrence;
                        END IF;
                        ends := v_piece.ends;
                        RETURN NEXT;
                    END IF;
            END CASE;
            IF v_clock_after > r_ends[v_last] THEN
                RAISE EXCEPTION 'tariff "%" has no price for a stay of more than % minutes',
                    p_rule.name, trim_scale(r_ends[v_last] / 60) USING ERRCODE = 'GT014';
            END IF;
            IF v_kind <> 'unsold' THEN
                v_clock := v_clock_after;
            END IF;
            v_at := v_next;
        END LOOP;
    END LOOP;
END
$$;
