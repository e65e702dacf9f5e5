-- Promises that a contradiction is settled by these words, and audited with user and reason.
--
-- Outcomes: 'resolved'; with nothing written 'unknown', 'resolved_before', 'reason_missing'.
CREATE OR REPLACE FUNCTION gate.resolve_reconciliation_v1(
    p_facility uuid,
    p_id uuid,
    p_reason text,
    p_at timestamptz,
    p_actor text DEFAULT 'operator',
    p_user uuid DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_row gate.reconciliations;
BEGIN
    IF (p_reason ~ '\S') IS NOT TRUE THEN
        RETURN 'reason_missing';
    END IF;
    SELECT r.* INTO v_row FROM gate.reconciliations r
    WHERE r.id = p_id AND r.facility_id = p_facility
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    ELSIF v_row.resolved_at IS NOT NULL THEN
        RETURN 'resolved_before';
    END IF;
    UPDATE gate.reconciliations r SET
        resolved_at = greatest(p_at, r.created_at), resolved_by = p_user, resolution = p_reason
    WHERE r.id = p_id;
    PERFORM gate.record_audit_v1(
        p_facility, 'reconciliation.resolved', 'reconciliation', p_id, p_at, p_id,
        jsonb_build_object('kind', v_row.kind, 'reason', p_reason), p_actor, p_user);
    RETURN 'resolved';
END
$$;
