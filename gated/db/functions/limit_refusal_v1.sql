-- Promises the reason why the limits that hold at p_at keep one more stay of the group out of the
-- zone; null if they do not, and then nobody else of the group is let into what is limited before
-- this transaction ends: 'group_not_permitted' (the limit is 0), 'facility_full_for_group',
-- 'zone_full_for_group'.
--
-- p_moves: the stay is inside already, so that it is one more for the zone alone.
--
-- The limited places are locked one by one, the facility before the zone, and counted when they are
-- ours: no race exceeds a limit. It is asked before any booking and any spot is locked.
CREATE OR REPLACE FUNCTION gate.limit_refusal_v1(
    p_facility uuid, p_zone uuid, p_group text, p_at timestamptz, p_moves boolean DEFAULT false
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_limit record;
    v_stays integer;
BEGIN
    FOR v_limit IN
        SELECT l.zone_id, l.stays_max FROM gate.limits_in_force_v1(p_facility, p_at, p_zone) l
        WHERE l.parker_group = p_group AND (l.zone_id IS NOT NULL OR NOT p_moves)
        ORDER BY l.zone_id NULLS FIRST
    LOOP
        IF v_limit.stays_max = 0 THEN
            RETURN 'group_not_permitted';
        END IF;
        PERFORM pg_advisory_xact_lock(
            hashtextextended(p_group || coalesce(v_limit.zone_id, p_facility)::text, 2));
        -- Two statements: the one of the zone can use its index.
        IF v_limit.zone_id IS NULL THEN
            SELECT count(*) INTO v_stays FROM gate.claims c
            WHERE c.facility_id = p_facility AND c.kind = 'stay' AND c.parker_group = p_group;
        ELSE
            SELECT count(*) INTO v_stays FROM gate.claims c
            WHERE c.facility_id = p_facility AND c.zone_id = p_zone AND c.kind = 'stay'
                AND c.parker_group = p_group;
        END IF;
        IF v_stays >= v_limit.stays_max THEN
            RETURN CASE WHEN v_limit.zone_id IS NULL THEN 'facility_full_for_group'
                ELSE 'zone_full_for_group' END;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
