-- Promises that an operator took the vehicle at an exit for that of an open stay: the stay keeps by
-- whom and why (exit_match, reason 'operator'), and an audit row. The request stays open: it is
-- the event that the exit's own decision is made on, by gate.release_v1.
--
-- A stay on a ticket has no plate: it gets p_read, what was read of the vehicle at the exit, unless
-- another vehicle is inside with that one.
--
-- Outcomes: 'done', with the stay's ticket and plate; refused, with the request settled and an audit
-- row: those of gate.operator_v1, 'stay_missing' (none is named: he may be told whose it may be),
-- 'booking_unknown', 'booking_ended' (it is not inside), 'plate_unknown' (a ticket's, with no plate
-- to be had);
-- 'event_done', with nothing written.
CREATE OR REPLACE FUNCTION gate.match_stay_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_name text,
    p_stay uuid,
    p_ticket text,
    p_plate text,
    p_read text,
    p_reason text,
    p_at timestamptz,
    OUT outcome text,
    OUT operator uuid,
    OUT booking uuid,
    OUT ticket text,
    OUT plate text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_booking public.bookings;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    v_booking := gate.lock_booking_v1(
        p_facility, coalesce(p_stay, gate.booking_to_pay_v1(p_facility, p_ticket, p_plate)));
    booking := v_booking.id;
    ticket := v_booking.ticket_number;
    plate := gate.plate_to_go_by_v1(v_booking, p_facility, p_read);
    SELECT t.outcome, t.user_id INTO outcome, operator
    FROM gate.operation_told_v1(p_facility, p_event, p_at) t;
    IF FOUND THEN
        RETURN;
    ELSIF v_event.status <> 'new' THEN
        outcome := 'event_done';
        RETURN;
    END IF;
    SELECT o.user_id, o.refusal INTO operator, outcome
    FROM gate.operator_v1(p_facility, p_name, 'match', p_reason) o;
    outcome := coalesce(outcome, CASE
        WHEN num_nonnulls(p_stay, p_ticket, p_plate) = 0 THEN 'stay_missing'
        WHEN v_booking.id IS NULL THEN 'booking_unknown'
        WHEN v_booking.status <> 'ACTIVE' THEN 'booking_ended'
        WHEN plate IS NULL THEN 'plate_unknown'
        ELSE 'done' END);
    IF outcome = 'done' THEN
        UPDATE public.bookings b SET
            plate_number = coalesce(b.plate_number, match_stay_v1.plate),
            exit_match = jsonb_build_object(
                'reason', 'operator', 'detail', p_reason, 'operator', p_name, 'user', operator,
                'lane', p_lane)
        WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time;
    ELSE
        PERFORM gate.settle_operation_v1(p_event, v_event.received_at, outcome, p_at);
    END IF;
    PERFORM gate.record_operation_v1(
        p_facility, p_event, p_name, operator, 'match', 'booking', v_booking.id, p_reason, outcome,
        p_at, jsonb_build_object('lane', p_lane, 'ticket', coalesce(ticket, p_ticket)));
END
$$;
