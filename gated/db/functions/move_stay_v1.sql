-- Promises, in one transaction: the event decided, a spot of the zone locked, the stay's claim on it
-- and no more on its earlier one, the stay's segments written on, decision and audit written, the
-- open command accepted.
--
-- Outcomes: 'moved'; with nothing written, so that the event may still be decided otherwise,
-- 'no_open_stay', 'zone_closed', the refusals of gate.limit_refusal_v1 and gate.lock_spot_v1;
-- 'event_done', with nothing written, when the event was decided before. Raises GT004 for a zone of
-- another facility.
--
-- * A stay whose spot lies in the zone keeps it. It may have been given that one at the entrance.
-- * p_anyway: the vehicle is let on whatever the zone and its limits say. Where the zone has no spot
--   it is inside without one, as who came in when none was left, and an operator gets a
--   reconciliation ('over_capacity'). A spot that it gives back goes to who is inside without one.
-- * A stay that was let through this lane in the last 15 minutes and not seen passing since is the
--   same vehicle, still there: it has moved, and gets a new decision and a new command.
-- * A call repeated with the same command id after a lost answer gets the first one's answer.
-- * A vehicle that stands at a lane within has come in, whether the entrance saw that or not.
-- * p_facts: what the verdict rests on, kept with it; and how long the fence and the locks of stay and
--   spot were waited for.
-- * p_again: nothing was reported anew; it is decided once more on this message, under the id p_event
--   (gate.keep_again_v1).
-- * Rows are locked in the order that gate.cancel_admission_v1 states.
CREATE OR REPLACE FUNCTION gate.move_stay_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_stay uuid,
    p_zone uuid,
    p_anyway boolean,
    p_plate text,
    p_plate_raw text,
    p_confidence real,
    p_at timestamptz,
    p_reason text,
    p_command uuid,
    p_device uuid,
    p_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean,
    p_match jsonb DEFAULT NULL,
    p_text text DEFAULT NULL,
    p_facts jsonb DEFAULT NULL,
    p_again uuid DEFAULT NULL
) RETURNS TABLE (outcome text, zone uuid, available integer, spot uuid, spot_number text)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_booking public.bookings;
    v_from uuid;
    v_last gate.stay_segments;
    v_again boolean;
    v_since timestamptz := clock_timestamp();
    v_fence_ms real;
    v_lock_ms real;
    v_spot_ms real;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    v_fence_ms := gate.ms_since_v1(v_since);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at, p_again) e;

    IF v_event.status <> 'new' THEN
        SELECT 'moved', d.zone_id, s.id, s.spot_number INTO outcome, zone, spot, spot_number
        FROM gate.commands c
        JOIN gate.decisions d ON d.event_id = c.event_id AND d.decided_at = p_at
        LEFT JOIN public.parking_spots s ON s.id = d.spot_id
        WHERE c.id = p_command AND c.facility_id = p_facility AND c.event_id = p_event;
        outcome := coalesce(outcome, 'event_done');
        available := coalesce(gate.zone_available_v1(coalesce(zone, p_zone)), 0);
        RETURN NEXT;
        RETURN;
    END IF;

    zone := p_zone;
    outcome := gate.moved_spot_refusal_v1(p_facility, p_stay, p_zone, p_anyway, p_at);
    IF outcome IS NULL THEN
        v_since := clock_timestamp();
        v_booking := gate.lock_booking_v1(p_facility, p_stay);
        v_lock_ms := gate.ms_since_v1(v_since);
        IF (v_booking.status = 'ACTIVE' AND gate.has_claim(v_booking)) IS NOT TRUE THEN
            outcome := 'no_open_stay';
        END IF;
    END IF;
    IF outcome IS NULL THEN
        spot := v_booking.spot_id;
        v_from := coalesce(
            (SELECT s.zone_id FROM public.parking_spots s WHERE s.id = spot), v_booking.zone_id);
        SELECT g.* INTO v_last FROM gate.stay_segments g
        WHERE g.booking_id = p_stay ORDER BY g.position DESC LIMIT 1;
        v_again := coalesce(v_last.position > 1 AND v_last.lane_id = p_lane
            AND v_last.known IS NULL AND v_last.begins_at > p_at - interval '15 minutes', false);
        IF v_again THEN
            zone := v_last.zone_id;
        ELSE
            IF v_from <> p_zone OR spot IS NULL THEN
                SELECT f.spot, f.refusal, f.waited_ms INTO spot, outcome, v_spot_ms
                FROM gate.lock_moved_spot_v1(v_booking, p_lane, p_zone, p_at) f;
                v_lock_ms := v_lock_ms + v_spot_ms;
            END IF;
            IF spot IS NOT NULL OR p_anyway THEN
                PERFORM gate.move_on_v1(v_booking, v_from, p_zone, spot, p_lane, p_at);
                outcome := NULL;
            END IF;
        END IF;
    END IF;

    IF outcome IS NULL THEN
        SELECT s.spot_number INTO spot_number FROM public.parking_spots s WHERE s.id = spot;
        PERFORM gate.record_audit_v1(
            p_facility, CASE WHEN v_again THEN 'stay.moved_again' ELSE 'stay.moved' END,
            'booking', p_stay, p_at, p_event,
            jsonb_strip_nulls(jsonb_build_object(
                'lane', p_lane, 'from', CASE WHEN NOT v_again THEN coalesce(v_last.zone_id, v_from) END,
                'zone', zone,
                'spot', spot, 'spot_number', spot_number, 'reason', p_reason,
                'command', p_command, 'fence', p_fence, 'match', p_match)));
        PERFORM gate.keep_again_v1(p_facility, p_event, p_again, p_at);
        PERFORM gate.record_decision_v1(
            p_facility, p_fence, p_event, v_event.received_at, p_lane, 'grant', p_reason,
            p_plate, p_plate_raw, p_confidence, p_stay, zone, spot, NULL, NULL, p_at,
            p_command, p_device, p_do, p_command_reason, p_issued_at, p_expires_at,
            p_taken, p_text, p_facts, v_fence_ms, v_lock_ms);
        IF EXISTS (
            SELECT FROM gate.claims c WHERE c.facility_id = p_facility AND c.spot_id IS NULL)
        THEN
            PERFORM gate.seat_stays_v1(p_facility, p_at, p_event, 10);
        END IF;
        outcome := 'moved';
    END IF;
    available := coalesce(gate.zone_available_v1(zone), 0);
    zone := CASE WHEN outcome = 'moved' THEN zone END;
    RETURN NEXT;
END
$$;
