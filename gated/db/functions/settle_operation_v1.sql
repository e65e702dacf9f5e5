-- Promises an operator's request done: decided, or refused with the word that says why.
CREATE OR REPLACE FUNCTION gate.settle_operation_v1(
    p_event uuid, p_received_at timestamptz, p_outcome text, p_at timestamptz
) RETURNS void
LANGUAGE sql AS $$
    UPDATE gate.events e SET
        status = 'done',
        outcome = CASE p_outcome WHEN 'done' THEN 'decided' ELSE 'refused' END,
        error = CASE p_outcome WHEN 'done' THEN NULL ELSE p_outcome END,
        settled_at = greatest(p_at, e.received_at)
    WHERE e.id = p_event AND e.received_at = p_received_at
$$;
