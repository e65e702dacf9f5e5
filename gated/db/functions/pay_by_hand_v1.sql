-- Promises that money which an operator took by hand counts once, as gate.record_payment_v1 counts
-- it, with an audit row that has user and reason.
--
-- Outcomes: 'done', with what was paid now and what is due still; refused, with the request settled
-- and an audit row: those of gate.operator_v1 and of gate.record_payment_v1; 'event_done', with
-- nothing written. Money that cannot be counted is in the operator's hand, who is told so: it
-- needs no reconciliation.
CREATE OR REPLACE FUNCTION gate.pay_by_hand_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_name text,
    p_payment uuid,
    p_stay uuid,
    p_ticket text,
    p_plate text,
    p_amount numeric,
    p_currency text,
    p_provider text,
    p_txn text,
    p_reason text,
    p_at timestamptz,
    OUT outcome text,
    OUT operator uuid,
    OUT ticket text,
    OUT amount numeric,
    OUT due numeric,
    OUT currency char(3)
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_told record;
    v_answer record;
    v_booking uuid;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    SELECT t.* INTO v_told FROM gate.operation_told_v1(p_facility, p_event, p_at) t;
    amount := p_amount;
    currency := p_currency;
    IF v_told.outcome IS NOT NULL THEN
        outcome := v_told.outcome;
        operator := v_told.user_id;
        ticket := v_told.details ->> 'ticket';
        due := (v_told.details ->> 'due')::numeric;
        RETURN;
    ELSIF v_event.status <> 'new' THEN
        outcome := 'event_done';
        RETURN;
    END IF;
    SELECT o.user_id, o.refusal INTO operator, outcome
    FROM gate.operator_v1(p_facility, p_name, 'pay', p_reason) o;
    ticket := coalesce(
        (SELECT t.ticket_number FROM gate.tickets t WHERE t.booking_id = p_stay), p_ticket);
    IF outcome IS NULL AND p_stay IS NOT NULL AND ticket IS NULL THEN
        outcome := 'booking_unknown';
    END IF;
    IF outcome IS NULL THEN
        SELECT a.* INTO v_answer FROM gate.record_payment_v1(
            p_payment, p_facility, ticket, p_plate, p_amount, p_currency, p_provider, p_txn, p_at,
            p_event, NULL, 'operator ' || p_name, operator) a;
        outcome := CASE WHEN v_answer.outcome IN ('paid', 'part_paid') THEN 'done'
            ELSE v_answer.outcome END;
        v_booking := v_answer.booking;
        ticket := coalesce(v_answer.ticket, ticket);
        due := v_answer.due;
        currency := coalesce(v_answer.currency, p_currency);
    END IF;
    PERFORM gate.settle_operation_v1(p_event, v_event.received_at, outcome, p_at);
    PERFORM gate.record_operation_v1(
        p_facility, p_event, p_name, operator, 'pay', 'booking', v_booking, p_reason, outcome,
        p_at, jsonb_build_object(
            'ticket', ticket, 'plate', p_plate, 'amount', p_amount::text, 'currency', p_currency,
            'provider', p_provider, 'due', due::text));
END
$$;
