-- Promises that the passages of the day before p_before which no lane looks after any more count as
-- assumed; answers how many. Their daemon was away for longer than a vehicle takes, and nothing has
-- shown that it did not pass.
CREATE OR REPLACE FUNCTION gate.assume_passages_v1(
    p_facility uuid, p_before timestamptz, p_at timestamptz
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_pending record;
    v_assumed integer := 0;
BEGIN
    FOR v_pending IN
        SELECT p.* FROM gate.pending_passages_v1(p_facility, p_before - interval '1 day') p
        WHERE p.decided_at < p_before
    LOOP
        IF gate.note_passage_v1(
            p_facility, v_pending.stay_id, v_pending.lane_id, 'assumed', p_at, v_pending.event_id)
        THEN
            v_assumed := v_assumed + 1;
        END IF;
    END LOOP;
    RETURN v_assumed;
END
$$;
