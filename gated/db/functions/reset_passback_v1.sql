-- Promises that no stay which began before p_at refuses the entry of its plate any more: after an
-- outage or an evacuation in which vehicles left unseen. Such a stay ends when its vehicle comes
-- again, as gate.end_passback_v1 says, and is no violation. Audited with user and reason.
--
-- Outcomes: 'reset'; with nothing written 'facility_unknown', 'reason_missing'. A reset never goes
-- back in time.
CREATE OR REPLACE FUNCTION gate.reset_passback_v1(
    p_facility uuid,
    p_at timestamptz,
    p_reason text,
    p_actor text DEFAULT 'operator',
    p_user uuid DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF (p_reason ~ '\S') IS NOT TRUE THEN
        RETURN 'reason_missing';
    END IF;
    UPDATE gate.facility_settings s SET passback_reset_at = greatest(s.passback_reset_at, p_at)
    WHERE s.facility_id = p_facility;
    IF NOT FOUND THEN
        RETURN 'facility_unknown';
    END IF;
    PERFORM gate.record_audit_v1(
        p_facility, 'passback.reset', 'facility', p_facility, p_at, gen_random_uuid(),
        jsonb_build_object('reason', p_reason), p_actor, p_user);
    RETURN 'reset';
END
$$;
