-- Promises a command in the outbox, and its first audit row where it is sent at once.
--
-- p_text: what the display shows, its lines as the driver reads them; null if nothing.
-- p_taken: the caller sends it itself, so that it is stored as 'dispatched' and needs no second
-- transaction. Should the caller die before that, it ends as 'unknown': never sent twice, at the
-- price of sometimes not at all.
CREATE OR REPLACE FUNCTION gate.add_command_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_plate text,
    p_stay uuid,
    p_price numeric,
    p_currency char(3),
    p_command uuid,
    p_device uuid,
    p_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean,
    p_text text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_command gate.commands;
BEGIN
    INSERT INTO gate.commands (
        id, facility_id, lane_id, device_id, event_id, do_what, reason, plate, stay_id,
        price, currency, fence, issued_at, expires_at, status, dispatched_at,
        text
    ) VALUES (
        p_command, p_facility, p_lane, p_device, p_event, p_do, p_command_reason, p_plate,
        p_stay, p_price, p_currency, p_fence, p_issued_at, p_expires_at,
        CASE WHEN p_taken THEN 'dispatched' ELSE 'accepted' END,
        CASE WHEN p_taken THEN p_issued_at END, p_text
    ) RETURNING commands.* INTO v_command;
    IF p_taken THEN
        PERFORM gate.record_command_v1(v_command, p_issued_at);
    END IF;
END
$$;
