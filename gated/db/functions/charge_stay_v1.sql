-- Promises what a stay costs if it ends at p_at, what was paid for it, and what is due; changes
-- nothing. Raises what gate.price_stay_v1 raises, and GT005 for a booking that is not the
-- facility's.
--
-- A stay that was paid in full costs no more until its grace is over; then its time counts from
-- entry, and only the difference is due. A subscription or a staff right covers the whole price;
-- a reservation covers nothing by itself: what was paid for it beforehand is a payment like any
-- other. What an operator waived comes off the price, as far as that goes.
--
-- While the facility is evacuated time stands still: the stay costs what it would cost if it ended
-- earlier by as much, its grace lasts longer by as much, and a line says so.
CREATE OR REPLACE FUNCTION gate.charge_stay_v1(
    p_facility uuid, p_booking uuid, p_entry_time timestamptz, p_at timestamptz
) RETURNS TABLE (
    amount numeric, currency char(3), rule_ids uuid[], lines jsonb, paid numeric, due numeric
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_booking public.bookings;
    v_until timestamptz := p_at;
    v_evacuated interval;
    v_waived numeric;
    v_part record;
    v_price record;
BEGIN
    SELECT b.* INTO v_booking
    FROM public.bookings b
    WHERE b.id = p_booking AND b.entry_time = p_entry_time AND b.facility_id = p_facility;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % has no booking %', p_facility, p_booking
            USING ERRCODE = 'GT005';
    END IF;
    IF v_booking.grace_until IS NOT NULL
        AND p_at - gate.evacuated_v1(p_facility, v_booking.paid_at, p_at) <= v_booking.grace_until
    THEN
        v_until := greatest(v_booking.paid_at, v_booking.entry_time);
    END IF;
    v_evacuated := gate.evacuated_v1(p_facility, v_booking.entry_time, v_until);
    -- One part, unless different rules governed the zones that it was in.
    FOR v_part IN
        SELECT z.starts, z.ends, z.context
        FROM gate.zone_parts_v1(v_booking, v_until - v_evacuated) z
    LOOP
        SELECT p.* INTO v_price
        FROM gate.price_stay_v1(p_facility, v_part.starts, v_part.ends, v_part.context) p;
        currency := v_price.currency;
        amount := coalesce(amount + v_price.amount, v_price.amount);
        rule_ids := coalesce(rule_ids || v_price.rule_ids, v_price.rule_ids);
        lines := coalesce(lines || v_price.lines, v_price.lines);
    END LOOP;
    IF v_evacuated > interval '0' THEN
        lines := lines || gate.price_line_v1(
            jsonb_build_object(
                'kind', 'evacuated', 'seconds', extract(epoch FROM v_evacuated)::integer),
            0, 1, scale(amount));
    END IF;
    IF v_booking.entitlement IN ('subscription', 'staff') THEN
        lines := lines || jsonb_build_object(
            'kind', 'covered', 'by', v_booking.entitlement, 'amount', (-amount)::text);
        amount := amount - amount;
    END IF;
    SELECT sum(w.amount) INTO v_waived FROM gate.waivers w WHERE w.booking_id = p_booking;
    IF v_waived > 0 THEN
        v_waived := least(v_waived, amount);
        lines := lines || gate.price_line_v1('{"kind": "waived"}', -v_waived, 1, scale(amount));
        amount := round(amount - v_waived, scale(amount));
    END IF;
    paid := gate.paid_v1(p_booking);
    due := greatest(amount - paid, 0);
    RETURN NEXT;
END
$$;
