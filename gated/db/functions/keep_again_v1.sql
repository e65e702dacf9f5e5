-- Promises the message under which it is decided once more on one that was decided on before, p_again:
-- a copy of that one, of the kind 'again', received when it is decided. Nothing where p_again is null.
-- It is kept by a decision alone, in its transaction: of a look that changes nothing no trace is left.
CREATE OR REPLACE FUNCTION gate.keep_again_v1(
    p_facility uuid, p_event uuid, p_again uuid, p_at timestamptz
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO gate.events (
        id, facility_id, device_id, lane_id, event_key, kind, topic, payload, status, device_at,
        received_at
    )
    SELECT p_event, p_facility, e.device_id, e.lane_id,
        coalesce(e.device_id::text, '-') || '/again/' || p_event, 'again', e.topic, e.payload,
        'new', e.device_at, p_at
    FROM gate.events e
    WHERE e.id = p_again AND e.facility_id = p_facility
        AND e.received_at > p_at - interval '2 days' AND e.received_at < p_at + interval '1 day'
$$;
