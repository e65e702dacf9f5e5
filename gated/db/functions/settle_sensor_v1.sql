-- Promises the message of a sensor settled by what became of it.
CREATE OR REPLACE FUNCTION gate.settle_sensor_v1(
    p_event uuid, p_received_at timestamptz, p_outcome text, p_at timestamptz
) RETURNS void
LANGUAGE sql AS $$
    UPDATE gate.events e SET
        status = 'done', settled_at = greatest(p_at, p_received_at),
        outcome = CASE p_outcome
            WHEN 'noted' THEN 'noted' WHEN 'older' THEN 'superseded' ELSE 'unexpected' END
    WHERE e.id = p_event AND e.received_at = p_received_at
$$;
