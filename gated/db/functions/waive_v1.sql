-- Promises that an operator waived what is due for a stay, or p_amount of it: a row of gate.waivers,
-- which gate.charge_stay_v1 takes off the price by a line of its own; of a stay that has ended, its
-- frozen price and lines are lowered. So the price stays the sum of its lines, and what was waived
-- is no revenue and no payment. The rest of gate.record_payment_v1 holds here too: a stay for which
-- nothing is due any more has its grace to leave.
--
-- Outcomes: 'done', with what was waived and what is due still; refused, with the request settled and
-- an audit row: those of gate.operator_v1, 'booking_unknown', 'booking_ended' (cancelled, or nobody
-- came), 'nothing_due', 'amount_invalid' (not positive, finer than the currency, or more than
-- is due), 'currency_mismatch'; 'event_done', with nothing written.
CREATE OR REPLACE FUNCTION gate.waive_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_name text,
    p_waiver uuid,
    p_stay uuid,
    p_ticket text,
    p_plate text,
    p_amount numeric,
    p_currency text,
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
    v_booking public.bookings;
    v_charge record;
    v_grace_minutes integer;
    v_exponent integer;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    SELECT t.* INTO v_told FROM gate.operation_told_v1(p_facility, p_event, p_at) t;
    v_booking := gate.lock_booking_v1(p_facility, coalesce(
        v_told.resource, p_stay, gate.booking_to_pay_v1(p_facility, p_ticket, p_plate)));
    ticket := v_booking.ticket_number;
    SELECT s.currency, s.grace_minutes_exit, c.exponent
    INTO currency, v_grace_minutes, v_exponent
    FROM gate.facility_settings s JOIN gate.currencies c ON c.code = s.currency
    WHERE s.facility_id = p_facility;
    IF v_told.outcome IS NOT NULL THEN
        outcome := v_told.outcome;
        operator := v_told.user_id;
        amount := (v_told.details ->> 'amount')::numeric;
        due := (v_told.details ->> 'due')::numeric;
        RETURN;
    ELSIF v_event.status <> 'new' THEN
        outcome := 'event_done';
        RETURN;
    END IF;

    SELECT o.user_id, o.refusal INTO operator, outcome
    FROM gate.operator_v1(p_facility, p_name, 'waive', p_reason) o;
    outcome := coalesce(outcome, CASE
        WHEN v_booking.id IS NULL THEN 'booking_unknown'
        WHEN v_booking.status IN ('CANCELLED', 'NO_SHOW') THEN 'booking_ended'
        WHEN v_booking.status NOT IN ('ACTIVE', 'COMPLETED') THEN 'nothing_due'
        WHEN p_currency <> currency THEN 'currency_mismatch' END);
    IF outcome IS NULL THEN
        due := gate.due_v1(v_booking, p_at);
        outcome := CASE
            WHEN due = 0 THEN 'nothing_due'
            WHEN p_amount <= 0 OR p_amount > due OR p_amount <> round(p_amount, v_exponent)
                THEN 'amount_invalid'
            ELSE 'done' END;
    END IF;
    IF outcome = 'done' THEN
        amount := coalesce(p_amount, due);
        INSERT INTO gate.waivers (id, booking_id, amount, currency, reason, user_id, waived_at)
        VALUES (p_waiver, v_booking.id, amount, currency, p_reason, operator, p_at);
        IF v_booking.status = 'COMPLETED' THEN
            UPDATE public.bookings b SET
                final_price = b.final_price - waive_v1.amount,
                price_lines = coalesce(b.price_lines, '[]') || gate.price_line_v1(
                    '{"kind": "waived"}', -waive_v1.amount, 1, v_exponent)
            WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time
            RETURNING b.* INTO v_booking;
        END IF;
        SELECT c.* INTO v_charge FROM gate.charge_booking_v1(v_booking, p_at) c;
        due := greatest(v_charge.amount - gate.paid_v1(v_booking.id), 0);
        IF due = 0 AND v_booking.status = 'ACTIVE' THEN
            UPDATE public.bookings b SET
                paid_at = greatest(p_at, b.entry_time),
                grace_until = greatest(p_at, b.entry_time)
                    + make_interval(mins => v_grace_minutes),
                -- What explains the price stands from now on, as with a payment.
                pricing_rule_id = v_charge.rule,
                price_lines = v_charge.lines
            WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time;
        END IF;
    END IF;
    IF outcome = 'done' THEN
        -- For the story of the stay, beside that of the request.
        PERFORM gate.record_audit_v1(
            p_facility, 'stay.waived', 'booking', v_booking.id, p_at, v_booking.id,
            jsonb_build_object('waiver', p_waiver, 'amount', amount::text, 'currency', currency,
                'due', due::text, 'reason', p_reason),
            'operator ' || p_name, operator);
    END IF;
    PERFORM gate.settle_operation_v1(p_event, v_event.received_at, outcome, p_at);
    PERFORM gate.record_operation_v1(
        p_facility, p_event, p_name, operator, 'waive', 'booking', v_booking.id, p_reason, outcome,
        p_at, jsonb_build_object(
            'ticket', coalesce(ticket, p_ticket), 'plate', p_plate, 'waiver',
            CASE outcome WHEN 'done' THEN p_waiver END, 'amount', coalesce(amount, p_amount)::text,
            'currency', coalesce(p_currency, currency), 'due', due::text));
END
$$;
