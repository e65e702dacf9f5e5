-- Promises that a stay whose vehicle is inside has ended at p_at without a grant: priced as
-- gate.charge_stay_v1 does it, the price frozen with its lines, claim and spot given back; answers
-- the price, and what is due of it. What is due stays a debt: gate.debts.
--
-- * p_covered_by: it costs nothing, and its last line says what for ('evacuation', 'passback').
-- * A price that cannot be told keeps nobody inside who has left: the stay ends without one, and
--   `fault` is the error.
-- * The row of the booking is locked by the caller.
CREATE OR REPLACE FUNCTION gate.end_stay_v1(
    p_booking public.bookings,
    p_at timestamptz,
    p_lane uuid,
    p_known text,
    p_covered_by text,
    OUT price numeric,
    OUT currency char(3),
    OUT due numeric,
    OUT fault text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_at CONSTANT timestamptz := greatest(p_at, p_booking.entry_time);
    v_charge record;
    v_lines jsonb;
    v_rule uuid;
BEGIN
    BEGIN
        SELECT c.amount, c.currency, c.lines, c.rule_ids[1] AS rule, c.due INTO STRICT v_charge
        FROM gate.charge_stay_v1(p_booking.facility_id, p_booking.id, p_booking.entry_time, v_at) c;
        price := v_charge.amount;
        currency := v_charge.currency;
        due := v_charge.due;
        v_lines := v_charge.lines;
        v_rule := v_charge.rule;
    EXCEPTION
        WHEN SQLSTATE 'GT010' OR SQLSTATE 'GT011' OR SQLSTATE 'GT012' OR SQLSTATE 'GT013'
            OR SQLSTATE 'GT014' OR SQLSTATE 'GT015' OR SQLSTATE 'GT016' OR SQLSTATE 'GT017'
        THEN
            fault := SQLERRM;
    END;
    IF p_covered_by IS NOT NULL THEN
        v_lines := coalesce(v_lines, '[]') || jsonb_build_object(
            'kind', 'covered', 'by', p_covered_by, 'amount', (-coalesce(price, 0))::text);
        price := coalesce(price - price, 0);
        currency := coalesce(currency, p_booking.currency, (
            SELECT s.currency FROM gate.facility_settings s
            WHERE s.facility_id = p_booking.facility_id));
        due := price;
        fault := NULL;
    END IF;
    UPDATE public.bookings b SET
        status = 'COMPLETED',
        actual_exit = v_at,
        exit_lane_id = p_lane,
        exit_known = p_known,
        final_price = price,
        currency = coalesce(end_stay_v1.currency, b.currency),
        price_lines = coalesce(v_lines, b.price_lines),
        pricing_rule_id = coalesce(v_rule, b.pricing_rule_id),
        closed_reason = NULL
    WHERE b.id = p_booking.id AND b.entry_time = p_booking.entry_time;
    IF p_booking.spot_id IS NULL THEN
        PERFORM gate.settle_over_capacity_v1(p_booking.facility_id, p_booking.id, v_at, 'it left');
    END IF;
END
$$;
