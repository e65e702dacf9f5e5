-- Promises the record of a denial, with the command for the display where there is one, and the
-- event decided; false, with nothing written, when it was decided before by another call. p_facts: what
-- the verdict rests on, kept with it.
--
-- p_again: nothing was reported anew; it is decided once more on this message, under the id p_event
-- (gate.keep_again_v1).
--
-- A plate that is inside already is a violation 'passback', where the facility lists a penalty.
CREATE OR REPLACE FUNCTION gate.deny_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_reason text,
    p_plate text,
    p_plate_raw text,
    p_confidence real,
    p_at timestamptz,
    p_command uuid,
    p_device uuid,
    p_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean,
    p_text text DEFAULT NULL,
    p_facts jsonb DEFAULT NULL,
    p_again uuid DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_inside public.bookings;
    v_began CONSTANT timestamptz := clock_timestamp();
    v_fence_ms real;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    v_fence_ms := gate.ms_since_v1(v_began);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at, p_again) e;
    IF v_event.status <> 'new' THEN
        RETURN EXISTS (
            SELECT FROM gate.decisions d
            WHERE d.event_id = p_event AND d.decided_at = p_at AND d.decision = 'deny'
                AND d.command_id IS NOT DISTINCT FROM p_command);
    END IF;
    PERFORM gate.keep_again_v1(p_facility, p_event, p_again, p_at);
    PERFORM gate.record_decision_v1(
        p_facility, p_fence, p_event, v_event.received_at, p_lane, 'deny', p_reason,
        p_plate, p_plate_raw, p_confidence, NULL, NULL, NULL, NULL, NULL, p_at,
        p_command, p_device, p_do, p_command_reason, p_issued_at, p_expires_at,
        p_taken, p_text, p_facts, v_fence_ms);
    PERFORM gate.record_audit_v1(
        p_facility, 'vehicle.denied', 'lane', p_lane, p_at, p_event,
        jsonb_build_object('reason', p_reason, 'command', p_command, 'fence', p_fence));
    IF p_reason = 'already_inside' AND EXISTS (
        SELECT FROM gate.penalties p
        WHERE p.facility_id = p_facility AND p.violation_type = 'passback')
    THEN
        SELECT b.* INTO v_inside
        FROM gate.claims c
        JOIN public.bookings b ON b.id = c.booking_id AND b.entry_time = c.entry_time
        WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';
        IF FOUND THEN
            PERFORM gate.open_passback_v1(v_inside, p_event, p_lane, p_plate, p_at);
        END IF;
    END IF;
    RETURN true;
END
$$;
