-- Promises a longer lease to the holder that still has it, and answers the set-up's revision;
-- raises GT001 when the lease was lost.
--
-- A lease that ran out and that nobody took can be renewed: the fence shows that nobody did.
CREATE OR REPLACE FUNCTION gate.renew_lease_v1(
    p_facility uuid, p_holder text, p_fence bigint, p_ttl interval
) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gate.leases l SET expires_at = pg_catalog.clock_timestamp() + p_ttl
    WHERE l.facility_id = p_facility AND l.holder = p_holder AND l.fence = p_fence;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease of facility % with fence % is lost', p_facility, p_fence
            USING ERRCODE = 'GT001';
    END IF;
    RETURN coalesce(
        (SELECT s.revision FROM gate.facility_settings s WHERE s.facility_id = p_facility), 0);
END
$$;
