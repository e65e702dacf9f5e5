-- Promises, in one transaction: the message of a payment decided, the payment counted as
-- gate.record_payment_v1 does. One that cannot be counted (for an unknown ticket, in another
-- currency, …) is money that somebody took all the same: it becomes a reconciliation for the
-- operator, kind 'payment_refused', with its outcome.
--
-- Outcomes: those of gate.record_payment_v1, and 'told_before': another message told of the same
-- payment, which counted then and does not count again; ticket, due and grace as they are by now.
-- The message is settled as 'decided', as 'told_before', or as 'refused' with the outcome.
--
-- Called again for a message that is done, it answers what that came to, and of money that counted
-- where it stands by now. If the call tells of other money than counted then, as a terminal does
-- whose numbers start anew, that is 'told_differently', and waits for the operator too. 'failed':
-- the message was given up, and nothing counted; 'event_done': it was no payment's.
CREATE OR REPLACE FUNCTION gate.take_payment_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_payment uuid,
    p_ticket text,
    p_plate text,
    p_amount numeric,
    p_currency text,
    p_provider text,
    p_txn text,
    p_at timestamptz,
    OUT outcome text,
    OUT ticket text,
    OUT due numeric,
    OUT currency char(3),
    OUT grace_until timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_became record;
    v_new boolean;
    v_answer record;
    v_meant uuid;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    v_new := v_event.status = 'new';
    SELECT e.outcome, e.error INTO v_became
    FROM gate.events e WHERE e.id = p_event AND e.received_at = v_event.received_at;
    IF NOT v_new AND (
        v_became.outcome IS NULL OR v_became.outcome NOT IN ('decided', 'told_before')
        OR NOT EXISTS (SELECT FROM gate.told_payment_v1(p_payment, p_provider, p_txn)))
    THEN
        outcome := CASE v_became.outcome
            WHEN 'refused' THEN v_became.error WHEN 'failed' THEN 'failed' ELSE 'event_done' END;
        RETURN;
    END IF;
    SELECT a.* INTO v_answer
    FROM gate.record_payment_v1(
        p_payment, p_facility, p_ticket, p_plate, p_amount, p_currency, p_provider, p_txn, p_at,
        p_event, NULL, 'terminal') a;
    outcome := v_answer.outcome;
    IF outcome IN ('paid', 'part_paid') THEN
        ticket := v_answer.ticket;
        due := v_answer.due;
        currency := v_answer.currency;
        grace_until := CASE WHEN due = 0 AND v_answer.grace_until > p_at
            THEN v_answer.grace_until END;
        IF NOT v_answer.counted AND (v_new OR v_became.outcome = 'told_before') THEN
            outcome := 'told_before';
        END IF;
    ELSIF v_new OR NOT EXISTS (
        SELECT FROM gate.reconciliations r
        WHERE r.facility_id = p_facility AND r.resolved_at IS NULL AND r.kind = 'payment_refused'
            AND (r.details ->> 'event', r.details ->> 'provider', r.details ->> 'txn')
                = (p_event::text, p_provider, p_txn))
    THEN
        INSERT INTO gate.reconciliations (facility_id, kind, details)
        VALUES (p_facility, 'payment_refused', jsonb_strip_nulls(jsonb_build_object(
            'outcome', outcome, 'event', p_event, 'ticket', p_ticket, 'plate', p_plate,
            'amount', p_amount::text, 'currency', p_currency, 'provider', p_provider, 'txn', p_txn,
            'at', gate.utc_text_v1(p_at))));
        PERFORM gate.record_audit_v1(
            p_facility, 'payment.refused', 'payment', p_payment, p_at, p_event,
            jsonb_build_object('outcome', outcome, 'amount', p_amount::text,
                'currency', p_currency, 'provider', p_provider), 'terminal');
        -- For the story of the stay that was meant, beside that of the message.
        IF outcome <> 'booking_unknown' THEN
            SELECT b.id INTO v_meant FROM gate.tickets t
            JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
            WHERE b.facility_id = p_facility AND t.booking_id = coalesce(
                v_answer.booking, gate.booking_to_pay_v1(p_facility, p_ticket, p_plate));
        END IF;
        IF v_meant IS NOT NULL THEN
            PERFORM gate.record_audit_v1(
                p_facility, 'stay.payment_refused', 'booking', v_meant, p_at, v_meant,
                jsonb_strip_nulls(jsonb_build_object(
                    'outcome', outcome, 'amount', p_amount::text, 'currency', p_currency,
                    'provider', p_provider, 'txn', p_txn, 'event', p_event)), 'terminal');
        END IF;
    END IF;
    IF v_new THEN
        UPDATE gate.events e SET
            status = 'done',
            outcome = CASE WHEN take_payment_v1.outcome IN ('paid', 'part_paid') THEN 'decided'
                WHEN take_payment_v1.outcome = 'told_before' THEN 'told_before' ELSE 'refused' END,
            error = CASE WHEN take_payment_v1.outcome NOT IN ('paid', 'part_paid', 'told_before')
                THEN take_payment_v1.outcome END,
            settled_at = greatest(p_at, e.received_at)
        WHERE e.id = p_event AND e.received_at = v_event.received_at;
    END IF;
END
$$;
