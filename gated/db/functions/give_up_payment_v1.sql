-- Promises that the message of a payment which gate.take_payment_v1 cannot count, because it raises (no
-- tariff is in force), is given up: settled as 'failed', so that it never counts, also not after a
-- crash; and that the money is a case for the operator (gate.refuse_payment_v1, outcome 'failed'), for
-- a machine that does not listen has taken it. True; false, with nothing written, where the message
-- was decided before: an earlier call was committed, and its answer lost.
CREATE OR REPLACE FUNCTION gate.give_up_payment_v1(
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
    p_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    IF v_event.status <> 'new' THEN
        RETURN false;
    END IF;
    UPDATE gate.events e SET
        status = 'done', outcome = 'failed', settled_at = greatest(p_at, e.received_at)
    WHERE e.id = p_event AND e.received_at = v_event.received_at;
    PERFORM gate.refuse_payment_v1(
        p_facility, 'failed', p_event, p_payment, p_ticket, p_plate, p_amount, p_currency,
        p_provider, p_txn, p_at);
    RETURN true;
END
$$;
