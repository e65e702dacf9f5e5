-- Promises a stay, whose row is locked, ended though nobody saw its vehicle leave: at the last sign
-- of it, priced until then, its claim and spot given back, audited with the evidence. A part of
-- gate.close_stay_v1 and gate.close_phantom_v1.
--
-- What was not paid is no debt, unless p_debt says so: the price is what was paid, with a line that
-- says what was not charged, and a reconciliation of kind 'stay_closed' for people to decide on. No
-- passage is awaited any more, and whoever is inside without a spot may have this one. A vehicle that
-- turns up all the same is let out by gate.release_v1.
CREATE OR REPLACE FUNCTION gate.end_unseen_v1(
    p_booking public.bookings,
    p_at timestamptz,
    p_days integer,
    p_reason text,
    p_debt boolean,
    p_id uuid,
    p_actor text,
    p_user uuid,
    OUT ended_at timestamptz,
    OUT price numeric,
    OUT currency char(3),
    OUT remainder numeric
)
LANGUAGE plpgsql AS $$
DECLARE
    v_judged record;
    v_charge record;
    v_lines jsonb;
BEGIN
    SELECT j.* INTO STRICT v_judged
    FROM gate.judge_stays_v1(p_booking.facility_id, p_at, p_days, p_booking.id) j;
    ended_at := v_judged.ended_at;
    SELECT c.* INTO STRICT v_charge
    FROM gate.charge_stay_v1(p_booking.facility_id, p_booking.id, p_booking.entry_time, ended_at) c;
    price := v_charge.amount;
    currency := v_charge.currency;
    remainder := v_charge.due;
    v_lines := v_charge.lines;
    IF remainder > 0 AND NOT p_debt THEN
        price := price - remainder;
        v_lines := v_lines || jsonb_build_object(
            'kind', 'not_charged', 'amount', (-remainder)::text);
        INSERT INTO gate.reconciliations (facility_id, kind, details)
        VALUES (p_booking.facility_id, 'stay_closed', jsonb_build_object(
            'stay', p_booking.id, 'ticket', p_booking.ticket_number,
            'ended_at', gate.utc_text_v1(ended_at), 'price', v_charge.amount::text,
            'paid', v_charge.paid::text, 'remainder', remainder::text, 'currency', currency,
            'reason', p_reason));
    END IF;
    UPDATE public.bookings b SET
        status = 'COMPLETED',
        actual_exit = ended_at,
        exit_known = 'assumed',
        final_price = end_unseen_v1.price,
        currency = end_unseen_v1.currency,
        price_lines = v_lines,
        pricing_rule_id = v_charge.rule_ids[1],
        closed_reason = p_reason
    WHERE b.id = p_booking.id AND b.entry_time = p_booking.entry_time;
    IF p_booking.spot_id IS NULL THEN
        PERFORM gate.settle_over_capacity_v1(
            p_booking.facility_id, p_booking.id, p_at, 'it was closed');
    END IF;
    PERFORM gate.record_audit_v1(
        p_booking.facility_id, 'stay.closed', 'booking', p_booking.id, p_at, p_booking.id,
        jsonb_strip_nulls(jsonb_build_object(
            'closing', p_id, 'reason', p_reason,
            'ended_at', gate.utc_text_v1(ended_at), 'price', price::text,
            'remainder', remainder::text, 'currency', currency, 'debt', p_debt,
            'spot', p_booking.spot_id, 'strength', v_judged.strength,
            'evidence', v_judged.evidence)),
        p_actor, p_user);
    IF EXISTS (
        SELECT FROM gate.claims c
        WHERE c.facility_id = p_booking.facility_id AND c.spot_id IS NULL)
    THEN
        PERFORM gate.seat_stays_v1(p_booking.facility_id, p_at, p_id, 10);
    END IF;
END
$$;
