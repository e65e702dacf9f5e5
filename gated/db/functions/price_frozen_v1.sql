-- Promises the rule version and the lines that explain what a booking costs at p_at, if they are to
-- be frozen now, by a payment of all that is due for a stay; else those that it has.
CREATE OR REPLACE FUNCTION gate.price_frozen_v1(
    p_booking public.bookings, p_freeze boolean, p_at timestamptz,
    OUT rule uuid, OUT lines jsonb
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    rule := p_booking.pricing_rule_id;
    lines := p_booking.price_lines;
    IF p_freeze AND p_booking.status = 'ACTIVE' THEN
        SELECT c.rule_ids[1], c.lines INTO rule, lines
        FROM gate.charge_stay_v1(
            p_booking.facility_id, p_booking.id, p_booking.entry_time,
            greatest(p_at, p_booking.entry_time)) c;
    END IF;
END
$$;
