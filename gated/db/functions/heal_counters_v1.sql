-- Promises that the counters of a facility and its zones are those of its spots, with an audit row of
-- what was wrong; answers how many were. What waited for an operator because of them is settled.
--
-- Counters follow from the spots and say nothing of their own: nobody is asked. Nothing is locked
-- unless something is wrong.
CREATE OR REPLACE FUNCTION gate.heal_counters_v1(
    p_facility uuid, p_at timestamptz, p_actor text DEFAULT 'gated'
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_found jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object(
        'subject', v.subject, 'field', v.field, 'stated', v.stated, 'counted', v.counted))
    INTO v_found
    FROM gate.verify_v1(p_facility) v WHERE v.kind = 'counters';
    IF v_found IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM gate.recount_v1(p_facility);
    UPDATE gate.reconciliations r SET
        resolved_at = greatest(p_at, r.created_at), resolution = 'recounted'
    WHERE r.facility_id = p_facility AND r.kind = 'available_spots' AND r.resolved_at IS NULL;
    PERFORM gate.record_audit_v1(
        p_facility, 'counters.healed', 'facility', p_facility, p_at, gen_random_uuid(),
        jsonb_build_object('found', v_found), p_actor);
    RETURN jsonb_array_length(v_found);
END
$$;
