-- Promises the record that a driver at an exit was asked to pay what is due for a stay, with the
-- command for the display where there is one. It decides nothing: the message stays to be decided
-- on, and the stay goes on. False, with nothing written, when the message was decided on meanwhile;
-- a call repeated with the same command id finds itself.
CREATE OR REPLACE FUNCTION gate.ask_payment_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_stay uuid,
    p_plate text,
    p_due numeric,
    p_currency char(3),
    p_at timestamptz,
    p_command uuid,
    p_device uuid,
    p_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean,
    p_text text DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    IF (SELECT e.status FROM gate.event_status_v1(p_facility, p_event, p_at) e) <> 'new' THEN
        RETURN false;
    ELSIF EXISTS (SELECT FROM gate.commands c WHERE c.id = p_command) THEN
        RETURN true;
    END IF;
    PERFORM gate.record_audit_v1(
        p_facility, 'payment.asked', 'booking', p_stay, p_at, p_event,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', p_lane, 'due', p_due::text, 'currency', p_currency, 'command', p_command,
            'fence', p_fence)));
    IF p_command IS NOT NULL THEN
        PERFORM gate.add_command_v1(
            p_facility, p_fence, p_event, p_lane, p_plate, p_stay, p_due, p_currency, p_command,
            p_device, p_do, p_command_reason, p_issued_at, p_expires_at, p_taken,
            p_text);
    END IF;
    RETURN true;
END
$$;
