-- Promises that the messages are done with the outcomes given; one that is done already stays as
-- it is.
--
-- The recent months are looked at first, so that only a message that waited for days makes this
-- visit every partition.
CREATE OR REPLACE FUNCTION gate.settle_events_v1(
    p_facility uuid, p_fence bigint, p_ids uuid[], p_outcomes text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now CONSTANT timestamptz := pg_catalog.clock_timestamp();
    v_settled bigint;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);

    UPDATE gate.events e SET status = 'done', outcome = s.outcome, settled_at = v_now
    FROM unnest(p_ids, p_outcomes) AS s (id, outcome)
    WHERE e.id = s.id AND e.facility_id = p_facility AND e.status = 'new'
        AND e.received_at > v_now - interval '2 days'
        AND e.received_at < v_now + interval '1 day';
    GET DIAGNOSTICS v_settled = ROW_COUNT;
    IF v_settled < cardinality(p_ids) THEN
        UPDATE gate.events e SET status = 'done', outcome = s.outcome, settled_at = v_now
        FROM unnest(p_ids, p_outcomes) AS s (id, outcome)
        WHERE e.id = s.id AND e.facility_id = p_facility AND e.status = 'new';
    END IF;
END
$$;
