-- Promises an open stay ended by an operator, because its vehicle is gone: as gate.end_unseen_v1 says.
-- The operator is a member of the facility's staff by the name that the broker knows, with the right
-- 'close_stay'. The same call again, after a lost answer, is the same act.
--
-- Outcomes: 'closed'; with nothing written 'stay_unknown', 'stay_ended' (an exit that was under way
-- wins), and the refusals of gate.operator_v1: 'user_unknown', 'not_permitted', 'reason_missing'.
CREATE OR REPLACE FUNCTION gate.close_stay_v1(
    p_facility uuid,
    p_stay uuid,
    p_operator text,
    p_reason text,
    p_debt boolean,
    p_at timestamptz,
    p_id uuid,
    OUT outcome text,
    OUT ended_at timestamptz,
    OUT price numeric,
    OUT currency char(3),
    OUT remainder numeric
)
LANGUAGE plpgsql AS $$
DECLARE
    v_operator record;
    v_booking public.bookings;
BEGIN
    SELECT o.* INTO v_operator
    FROM gate.operator_v1(p_facility, p_operator, 'close_stay', p_reason) o;
    outcome := v_operator.refusal;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    v_booking := gate.lock_booking_v1(p_facility, p_stay);
    IF v_booking.id IS NULL THEN
        outcome := 'stay_unknown';
    ELSIF v_booking.status <> 'ACTIVE' THEN
        SELECT 'closed', c.* INTO outcome, ended_at, price, currency, remainder
        FROM gate.stay_closed_v1(p_stay, p_id) c;
        outcome := coalesce(outcome, 'stay_ended');
    ELSE
        outcome := 'closed';
        SELECT e.* INTO ended_at, price, currency, remainder
        FROM gate.end_unseen_v1(
            v_booking, p_at,
            (SELECT f.phantom_days FROM gate.facility_settings f WHERE f.facility_id = p_facility),
            p_reason, p_debt, p_id, 'operator ' || p_operator, v_operator.user_id) e;
    END IF;
END
$$;
