-- Promises that a payment counts once, for the booking of the ticket or, without one, of the
-- plate: its open stay, else its next reservation, else what an ended stay of it owes (gate.debts).
-- Answers what has been paid for that booking by now, and what is due.
--
-- Outcomes: 'paid' (nothing is due), 'part_paid'; or, with nothing written, 'booking_unknown',
-- 'booking_ended' (cancelled, or nobody came), 'amount_invalid' (not positive, or finer than the
-- currency), 'currency_mismatch', 'provider_unknown', or 'told_differently': this id or this
-- transaction of the provider was told before, for another stay or of another amount. `counted` is
-- false for a payment that was told before and is the same: it answers where it stands now, also if
-- its booking was cancelled since. One that somebody wrote down as under way, or as failed, was not
-- told before: it is completed, for the stay that it was begun for and no other.
--
-- A payment after which nothing is due starts the grace to leave; one for which nothing was due
-- does not prolong it. bookings.payment_id is the last payment that counted.
CREATE OR REPLACE FUNCTION gate.record_payment_v1(
    p_payment uuid,
    p_facility uuid,
    p_ticket text,
    p_plate text,
    p_amount numeric,
    p_currency text,
    p_provider text,
    p_txn text,
    p_at timestamptz,
    p_correlation uuid,
    p_user uuid DEFAULT NULL,
    p_actor text DEFAULT 'web',
    p_staff uuid DEFAULT NULL,
    OUT outcome text,
    OUT counted boolean,
    OUT booking uuid,
    OUT ticket text,
    OUT paid numeric,
    OUT due numeric,
    OUT currency char(3),
    OUT grace_until timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_grace_minutes integer;
    v_exponent integer;
    v_charge record;
    v_due_before numeric;
    v_pays_up boolean;
    v_payment uuid := p_payment;
    v_told boolean;
BEGIN
    counted := false;
    -- One told before stays with the booking that it went to.
    SELECT t.* INTO booking FROM gate.told_payment_v1(p_payment, p_provider, p_txn) t;
    v_told := FOUND;
    IF NOT v_told THEN
        booking := gate.booking_to_pay_v1(p_facility, p_ticket, p_plate);
    ELSIF gate.told_differently_v1(
        p_facility, p_payment, p_ticket, p_plate, p_amount, p_currency, p_provider, p_txn)
    THEN
        booking := NULL;
        outcome := 'told_differently';
        RETURN;
    END IF;
    v_booking := gate.lock_booking_v1(p_facility, booking);
    booking := v_booking.id;
    IF v_booking.id IS NULL THEN
        outcome := 'booking_unknown';
        RETURN;
    ELSIF v_booking.status IN ('CANCELLED', 'NO_SHOW') AND NOT EXISTS (
        -- What counted has counted: it can be given back, and not refused any more.
        SELECT FROM public.payments p
        WHERE v_told AND p.booking_id = v_booking.id
            AND (p.id = p_payment OR (p.provider::text, p.provider_txn_id) = (p_provider, p_txn))
            AND p.status IN ('COMPLETED', 'REFUNDED'))
    THEN
        outcome := 'booking_ended';
        RETURN;
    END IF;
    SELECT s.currency, s.grace_minutes_exit, c.exponent
    INTO currency, v_grace_minutes, v_exponent
    FROM gate.facility_settings s JOIN gate.currencies c ON c.code = s.currency
    WHERE s.facility_id = p_facility;
    outcome := CASE
        WHEN p_currency IS DISTINCT FROM currency THEN 'currency_mismatch'
        WHEN p_amount IS NULL OR p_amount <= 0 OR p_amount >= 1e10
            OR p_amount <> round(p_amount, v_exponent) THEN 'amount_invalid'
        WHEN p_provider IS NULL
            OR p_provider <> ALL (enum_range(NULL::public.payment_provider)::text[])
            THEN 'provider_unknown'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    -- Priced once: what is paid changes what is due, and not what it costs.
    SELECT c.* INTO v_charge FROM gate.charge_booking_v1(v_booking, p_at) c;
    IF v_booking.status IN ('CANCELLED', 'NO_SHOW') THEN
        v_charge.amount := 0;
    END IF;
    v_due_before := greatest(v_charge.amount - gate.paid_v1(v_booking.id), 0);
    UPDATE public.payments p SET
        status = 'COMPLETED', amount = p_amount, currency = p_currency,
        provider = p_provider::public.payment_provider,
        provider_txn_id = coalesce(p_txn, p.provider_txn_id), booking_id = v_booking.id
    WHERE (p.id = p_payment
            OR (p.provider::text, p.provider_txn_id) = (p_provider, p_txn))
        AND p.status IN ('PENDING', 'FAILED')
    RETURNING p.id INTO v_payment;
    counted := FOUND;
    IF NOT counted THEN
        INSERT INTO public.payments (
            id, user_id, amount, currency, provider, status, provider_txn_id, created_at,
            booking_id
        ) VALUES (
            p_payment, coalesce(p_user, v_booking.user_id), p_amount, p_currency,
            p_provider::public.payment_provider, 'COMPLETED', p_txn, p_at, v_booking.id
        )
        ON CONFLICT DO NOTHING
        RETURNING payments.id INTO v_payment;
        counted := FOUND;
    END IF;
    -- Somebody else told of it while this waited for the booking, or for that other one's end.
    IF NOT counted AND NOT v_told AND gate.told_differently_v1(
        p_facility, p_payment, p_ticket, p_plate, p_amount, p_currency, p_provider, p_txn)
    THEN
        booking := NULL;
        currency := NULL;
        outcome := 'told_differently';
        RETURN;
    END IF;
    paid := gate.paid_v1(v_booking.id);
    due := greatest(v_charge.amount - paid, 0);
    v_pays_up := due = 0 AND v_due_before > 0 AND v_booking.status = 'ACTIVE';
    IF counted THEN
        UPDATE public.bookings b SET
            payment_id = v_payment,
            paid_at = CASE WHEN v_pays_up
                THEN greatest(p_at, b.entry_time) ELSE b.paid_at END,
            grace_until = CASE WHEN v_pays_up
                THEN greatest(p_at, b.entry_time) + make_interval(mins => v_grace_minutes)
                ELSE b.grace_until END,
            -- What explains the price that was paid stands from now on.
            pricing_rule_id = CASE WHEN v_pays_up THEN v_charge.rule ELSE b.pricing_rule_id END,
            price_lines = CASE WHEN v_pays_up THEN v_charge.lines ELSE b.price_lines END
        WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time
        RETURNING b.* INTO v_booking;
        PERFORM gate.record_audit_v1(
            p_facility, 'payment.recorded', 'payment', v_payment, p_at, p_correlation,
            jsonb_build_object(
                'booking', v_booking.id, 'amount', p_amount::text, 'currency', p_currency,
                'provider', p_provider, 'due', due::text),
            p_actor, p_staff);
    END IF;
    outcome := CASE WHEN due = 0 THEN 'paid' ELSE 'part_paid' END;
    ticket := v_booking.ticket_number;
    grace_until := v_booking.grace_until;
END
$$;
