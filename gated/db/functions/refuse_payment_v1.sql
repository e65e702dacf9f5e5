-- Promises that money which somebody took and which does not count waits for the operator, as a
-- reconciliation of kind 'payment_refused' with the outcome and the stay that it was meant for, as far
-- as the facility has it, and an audit row. A part of gate.take_payment_v1 and
-- gate.give_up_payment_v1.
CREATE OR REPLACE FUNCTION gate.refuse_payment_v1(
    p_facility uuid,
    p_outcome text,
    p_event uuid,
    p_payment uuid,
    p_ticket text,
    p_plate text,
    p_amount numeric,
    p_currency text,
    p_provider text,
    p_txn text,
    p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_stay CONSTANT uuid := (
        SELECT b.id FROM gate.tickets t
        JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        WHERE t.booking_id = gate.booking_to_pay_v1(p_facility, p_ticket, p_plate)
            AND b.facility_id = p_facility);
BEGIN
    INSERT INTO gate.reconciliations (facility_id, kind, details)
    VALUES (p_facility, 'payment_refused', jsonb_strip_nulls(jsonb_build_object(
        'outcome', p_outcome, 'event', p_event, 'stay', v_stay, 'ticket', p_ticket,
        'plate', p_plate, 'amount', p_amount::text, 'currency', p_currency,
        'provider', p_provider, 'txn', p_txn, 'at', gate.utc_text_v1(p_at))));
    PERFORM gate.record_audit_v1(
        p_facility, 'payment.refused', 'payment', p_payment, p_at, p_event,
        jsonb_strip_nulls(jsonb_build_object(
            'outcome', p_outcome, 'booking', v_stay, 'amount', p_amount::text,
            'currency', p_currency, 'provider', p_provider, 'txn', p_txn)), 'terminal');
END
$$;
