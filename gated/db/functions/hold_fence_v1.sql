-- Promises that the caller's fence is the newest until this transaction ends; raises GT001 if not.
--
-- The share lock makes a take-over wait for the writes in flight, so a check that passed stays
-- true up to the commit. The expiry is not looked at: while nobody else took the lease, the old
-- holder's writes harm no one, and a fence that grew is what "somebody else" looks like.
CREATE OR REPLACE FUNCTION gate.hold_fence_v1(p_facility uuid, p_fence bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM gate.leases l
    WHERE l.facility_id = p_facility AND l.fence = p_fence AND l.holder IS NOT NULL
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'fence % of facility % is old', p_fence, p_facility
            USING ERRCODE = 'GT001';
    END IF;
END
$$;
