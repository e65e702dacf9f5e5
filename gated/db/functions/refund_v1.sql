-- Promises that a refund of this id counts once, and never gives back more than was paid; audited.
-- A stay for which something is due again has no grace to leave any more.
--
-- Outcomes: 'refunded', also the second time; or, with nothing written, 'payment_unknown' (not of
-- the facility, or never completed), 'amount_invalid' (not positive, or more than is left).
CREATE OR REPLACE FUNCTION gate.refund_v1(
    p_refund uuid,
    p_facility uuid,
    p_payment uuid,
    p_amount numeric,
    p_txn text,
    p_reason text,
    p_at timestamptz,
    p_correlation uuid,
    p_actor text DEFAULT 'web',
    p_staff uuid DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_payment public.payments;
    v_exponent integer;
BEGIN
    v_booking := gate.lock_booking_v1(
        p_facility, (SELECT p.booking_id FROM public.payments p WHERE p.id = p_payment));
    IF v_booking.id IS NULL THEN
        RETURN 'payment_unknown';
    END IF;
    SELECT p.* INTO v_payment FROM public.payments p
    WHERE p.id = p_payment AND p.status IN ('COMPLETED', 'REFUNDED')
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'payment_unknown';
    END IF;
    IF EXISTS (
        SELECT FROM gate.refunds r
        WHERE r.id = p_refund OR (r.payment_id = p_payment AND r.provider_txn_id = p_txn))
    THEN
        RETURN 'refunded';
    END IF;
    SELECT c.exponent INTO v_exponent FROM gate.currencies c WHERE c.code = v_payment.currency;
    IF p_amount IS NULL OR p_amount <= 0 OR p_amount > v_payment.amount - v_payment.refunded
        OR p_amount <> round(p_amount, v_exponent)
    THEN
        RETURN 'amount_invalid';
    END IF;

    INSERT INTO gate.refunds (id, payment_id, amount, provider_txn_id, reason, refunded_at)
    VALUES (p_refund, p_payment, p_amount, p_txn, p_reason, p_at);
    UPDATE public.payments p SET
        refunded = p.refunded + p_amount,
        status = CASE WHEN p.refunded + p_amount = p.amount
            THEN 'REFUNDED' ELSE p.status END
    WHERE p.id = p_payment;
    UPDATE public.bookings b SET paid_at = NULL, grace_until = NULL
    WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time
        AND b.status = 'ACTIVE' AND b.paid_at IS NOT NULL AND gate.due_v1(v_booking, p_at) > 0;
    PERFORM gate.record_audit_v1(
        p_facility, 'payment.refunded', 'payment', p_payment, p_at, p_correlation,
        jsonb_build_object(
            'refund', p_refund, 'booking', v_booking.id, 'amount', p_amount::text,
            'reason', p_reason),
        p_actor, p_staff);
    RETURN 'refunded';
END
$$;
