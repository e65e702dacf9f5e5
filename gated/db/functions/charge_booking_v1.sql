-- Promises what a booking costs at p_at, and the rule version and the lines that explain it: of a
-- stay that lasts its price by then, of one that has ended its frozen price, of a reservation what
-- was estimated.
CREATE OR REPLACE FUNCTION gate.charge_booking_v1(
    p_booking public.bookings, p_at timestamptz,
    OUT amount numeric, OUT rule uuid, OUT lines jsonb
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_booking.status = 'ACTIVE' THEN
        SELECT c.amount, c.rule_ids[1], c.lines INTO amount, rule, lines
        FROM gate.charge_stay_v1(
            p_booking.facility_id, p_booking.id, p_booking.entry_time,
            greatest(p_at, p_booking.entry_time)) c;
    ELSE
        amount := coalesce(p_booking.final_price, p_booking.estimated_price, 0);
        rule := p_booking.pricing_rule_id;
        lines := p_booking.price_lines;
    END IF;
END
$$;
