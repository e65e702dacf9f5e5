-- Promises that the holder has the lease no more; somebody else's lease is left alone.
--
-- The fence stays where it is: the next holder's is larger.
CREATE OR REPLACE FUNCTION gate.release_lease_v1(p_facility uuid, p_holder text, p_fence bigint)
RETURNS void
LANGUAGE sql AS $$
    UPDATE gate.leases l SET holder = NULL, expires_at = NULL
    WHERE l.facility_id = p_facility AND l.holder = p_holder AND l.fence = p_fence
$$;
