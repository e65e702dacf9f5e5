-- Promises that the caller's fence is the newest until this transaction ends; raises GT001 if not.
--
-- The shared lock makes a take-over wait for the writes in flight (gate.acquire_lease_v1 asks for
-- the whole of it), so a check that passed stays true up to the commit. It is a lock of the
-- transaction and no row's: sharers of a row are written down in the row, all of them anew for each
-- one more, which cost a busy facility more than its decisions did. The expiry is not looked at:
-- while nobody else took the lease, the old holder's writes harm no one, and a fence that grew is
-- what "somebody else" looks like.
CREATE OR REPLACE FUNCTION gate.hold_fence_v1(p_facility uuid, p_fence bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(gate.lease_lock_v1(p_facility));
    PERFORM FROM gate.leases l
    WHERE l.facility_id = p_facility AND l.fence = p_fence AND l.holder IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'fence % of facility % is old', p_fence, p_facility
            USING ERRCODE = 'GT001';
    END IF;
END
$$;
