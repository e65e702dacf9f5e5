-- Promises the number of the lock that a facility's writers share and a take-over asks for alone.
CREATE OR REPLACE FUNCTION gate.lease_lock_v1(p_facility uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT uuid_hash_extended(p_facility, 1734440038)
$$;
