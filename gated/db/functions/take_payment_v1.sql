-- Promises, in one transaction: the message of a payment decided, the payment counted as
-- gate.record_payment_v1 does. One that cannot be counted (for an unknown ticket, in another
-- currency, …) is money that somebody took all the same: it becomes a reconciliation for the
-- operator, kind 'payment_refused', with its outcome.
--
-- Outcomes: those of gate.record_payment_v1, which a repeated call answers again for money that
-- counted; 'event_done', with nothing written, for any other message that is done.
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
    OUT currency char(3)
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_answer record;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    IF v_event.status <> 'new'
        AND NOT EXISTS (SELECT FROM gate.told_payment_v1(p_payment, p_provider, p_txn))
    THEN
        outcome := 'event_done';
        RETURN;
    END IF;
    SELECT a.* INTO v_answer
    FROM gate.record_payment_v1(
        p_payment, p_facility, p_ticket, p_plate, p_amount, p_currency, p_provider, p_txn, p_at,
        p_event, NULL, 'terminal') a;
    outcome := v_answer.outcome;
    ticket := v_answer.ticket;
    due := v_answer.due;
    currency := v_answer.currency;
    IF v_event.status <> 'new' THEN
        RETURN;
    END IF;
    IF outcome NOT IN ('paid', 'part_paid') THEN
        INSERT INTO gate.reconciliations (facility_id, kind, details)
        VALUES (p_facility, 'payment_refused', jsonb_strip_nulls(jsonb_build_object(
            'outcome', outcome, 'event', p_event, 'ticket', p_ticket, 'plate', p_plate,
            'amount', p_amount::text, 'currency', p_currency, 'provider', p_provider, 'txn', p_txn,
            'at', gate.utc_text_v1(p_at))));
        PERFORM gate.record_audit_v1(
            p_facility, 'payment.refused', 'payment', p_payment, p_at, p_event,
            jsonb_build_object('outcome', outcome, 'amount', p_amount::text,
                'currency', p_currency, 'provider', p_provider), 'terminal');
    END IF;
    UPDATE gate.events e SET status = 'done', outcome = 'decided', settled_at = greatest(p_at, e.received_at)
    WHERE e.id = p_event AND e.received_at = v_event.received_at;
END
$$;
