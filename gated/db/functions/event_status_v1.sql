-- Promises the status of a message with its row locked until the transaction ends; raises GT002
-- when there is no such message.
--
-- The days around the decision are looked at first, so that the usual case touches one partition.
--
-- p_again: the message that is decided on once more under the id p_event. That one is 'new' without a
-- row, until gate.keep_again_v1 writes it: it is the row of p_again that is locked.
CREATE OR REPLACE FUNCTION gate.event_status_v1(
    p_facility uuid, p_event uuid, p_at timestamptz, p_again uuid DEFAULT NULL
) RETURNS TABLE (status text, received_at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    IF p_again IS NOT NULL THEN
        PERFORM FROM gate.events e
        WHERE e.id = p_again AND e.facility_id = p_facility
            AND e.received_at > p_at - interval '2 days'
            AND e.received_at < p_at + interval '1 day'
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'facility % has no stored message %', p_facility, p_again
                USING ERRCODE = 'GT002';
        END IF;
        RETURN QUERY
            SELECT e.status, e.received_at FROM gate.events e
            WHERE e.id = p_event AND e.facility_id = p_facility
                AND e.received_at > p_at - interval '2 days'
                AND e.received_at < p_at + interval '1 day';
        IF NOT FOUND THEN
            RETURN QUERY SELECT 'new', p_at;
        END IF;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT e.status, e.received_at FROM gate.events e
        WHERE e.id = p_event AND e.facility_id = p_facility
            AND e.received_at > p_at - interval '2 days'
            AND e.received_at < p_at + interval '1 day'
        FOR NO KEY UPDATE;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT e.status, e.received_at FROM gate.events e
        WHERE e.id = p_event AND e.facility_id = p_facility
        FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % has no stored message %', p_facility, p_event
            USING ERRCODE = 'GT002';
    END IF;
END
$$;
