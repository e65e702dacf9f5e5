-- Promises the record of one decision: its row, the command it causes (if any) in the outbox, and
-- its message done. An event is decided once, so the decision bears the event's id.
CREATE OR REPLACE FUNCTION gate.record_decision_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_received_at timestamptz,
    p_lane uuid,
    p_decision text,
    p_reason text,
    p_plate text,
    p_plate_raw text,
    p_confidence real,
    p_stay uuid,
    p_zone uuid,
    p_spot uuid,
    p_price numeric,
    p_currency char(3),
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
    p_fence_waited_ms real DEFAULT NULL,
    p_lock_waited_ms real DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gate.decisions (
        id, facility_id, lane_id, event_id, decision, reason, plate, plate_raw, confidence,
        stay_id, zone_id, spot_id, price, currency, command_id, received_at, decided_at, facts,
        fence_waited_ms, lock_waited_ms
    ) VALUES (
        p_event, p_facility, p_lane, p_event, p_decision, p_reason, p_plate, p_plate_raw,
        p_confidence, p_stay, p_zone, p_spot, p_price, p_currency, p_command, p_received_at, p_at,
        p_facts, p_fence_waited_ms, p_lock_waited_ms
    );
    IF p_command IS NOT NULL THEN
        PERFORM gate.add_command_v1(
            p_facility, p_fence, p_event, p_lane, p_plate, p_stay, p_price, p_currency, p_command,
            p_device, p_do, p_command_reason, p_issued_at, p_expires_at, p_taken,
            p_text);
    END IF;
    UPDATE gate.events e SET status = 'done', outcome = 'decided', settled_at = p_at
    WHERE e.id = p_event AND e.received_at = p_received_at;
END
$$;
