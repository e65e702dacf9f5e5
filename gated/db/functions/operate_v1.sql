-- Promises, in one transaction, an operator's act on a lane: the request decided, the lane's mode
-- written, the barrier's command accepted (where there is one), an audit row with user and reason.
--
-- Who is opened for may be named by his stay, its id or its ticket: `plate` is what his passage will
-- be booked by. A stay on a ticket has none: it gets p_read, what was read of the vehicle, unless
-- another vehicle is inside with that one.
--
-- Outcomes: 'done'; refused, with the request settled, an audit row and nothing else: those of
-- gate.operator_v1, 'booking_unknown', 'booking_ended' (it is not inside, nor at an entry a
-- reservation whose vehicle may come), 'plate_unknown' (a ticket's, with no plate to be had);
-- 'event_done', with nothing written. A call repeated after a lost answer gets the first one's.
--
-- hold → held, lane_close → closed, lane_open → in_service; release ends held alone: whoever may
-- only do that does not open what was closed. `mode` is what stands afterwards.
CREATE OR REPLACE FUNCTION gate.operate_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_name text,
    p_do text,
    p_reason text,
    p_at timestamptz,
    p_command uuid,
    p_device uuid,
    p_command_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean,
    p_text text DEFAULT NULL,
    p_stay uuid DEFAULT NULL,
    p_ticket text DEFAULT NULL,
    p_read text DEFAULT NULL,
    OUT outcome text,
    OUT operator uuid,
    OUT mode text,
    OUT plate text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_told record;
    v_wanted text;
    v_named CONSTANT boolean := num_nonnulls(p_stay, p_ticket) > 0;
    v_booking public.bookings;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    IF v_named THEN
        v_booking := gate.lock_booking_v1(
            p_facility, coalesce(p_stay, gate.booking_to_pay_v1(p_facility, p_ticket, NULL)));
        plate := gate.plate_to_go_by_v1(v_booking, p_facility, p_read);
    END IF;
    SELECT t.* INTO v_told FROM gate.operation_told_v1(p_facility, p_event, p_at) t;
    IF v_told.outcome IS NOT NULL THEN
        outcome := v_told.outcome;
        operator := v_told.user_id;
    ELSIF v_event.status <> 'new' THEN
        outcome := 'event_done';
    ELSE
        SELECT o.user_id, coalesce(o.refusal, 'done') INTO operator, outcome
        FROM gate.operator_v1(p_facility, p_name, p_do, p_reason) o;
        IF outcome = 'done' AND v_named THEN
            outcome := CASE
                WHEN v_booking.id IS NULL THEN 'booking_unknown'
                WHEN v_booking.status <> 'ACTIVE' AND NOT (
                    v_booking.status = 'CONFIRMED' AND EXISTS (
                        SELECT FROM gate.lanes l WHERE l.id = p_lane AND l.direction = 'entry'))
                    THEN 'booking_ended'
                WHEN plate IS NULL THEN 'plate_unknown'
                ELSE 'done' END;
        END IF;
        IF outcome = 'done' AND v_named THEN
            UPDATE public.bookings b SET plate_number = operate_v1.plate
            WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time
                AND b.plate_number IS NULL;
        END IF;
        v_wanted := CASE WHEN outcome = 'done' THEN CASE p_do
            WHEN 'hold' THEN 'held' WHEN 'lane_close' THEN 'closed'
            WHEN 'release' THEN 'in_service' WHEN 'lane_open' THEN 'in_service' END END;
        IF v_wanted IS NOT NULL THEN
            INSERT INTO gate.lane_modes AS m (
                lane_id, facility_id, mode, since, user_id, reason, event_id
            ) VALUES (p_lane, p_facility, v_wanted, p_at, operator, p_reason, p_event)
            ON CONFLICT (lane_id) DO UPDATE SET
                mode = excluded.mode, since = excluded.since, user_id = excluded.user_id,
                reason = excluded.reason, event_id = excluded.event_id
            WHERE m.mode <> excluded.mode AND (p_do <> 'release' OR m.mode = 'held');
        END IF;
        IF outcome = 'done' AND p_command IS NOT NULL THEN
            PERFORM gate.add_command_v1(
                p_facility, p_fence, p_event, p_lane, NULL, NULL, NULL, NULL, p_command, p_device,
                p_command_do, p_command_reason, p_issued_at, p_expires_at, p_taken, p_text);
        END IF;
        PERFORM gate.settle_operation_v1(p_event, v_event.received_at, outcome, p_at);
        PERFORM gate.record_operation_v1(
            p_facility, p_event, p_name, operator, p_do, 'lane', p_lane, p_reason, outcome, p_at,
            jsonb_build_object(
                'lane', p_lane, 'mode', v_wanted, 'fence', p_fence,
                'booking', v_booking.id, 'ticket', coalesce(v_booking.ticket_number, p_ticket),
                'command', CASE outcome WHEN 'done' THEN p_command END));
    END IF;
    SELECT m.mode INTO mode FROM gate.lane_modes m WHERE m.lane_id = p_lane;
    mode := coalesce(mode, 'in_service');
    plate := CASE outcome WHEN 'done' THEN plate END;
END
$$;
