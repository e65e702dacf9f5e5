-- Promises the facility's lease to one holder at a time, by the database's clock: one row with the
-- fence and the set-up's revision, or no row while another holder's lease lives.
--
-- The fence grows whenever the holder changes, and also when a holder's own lease had run out: what
-- it did before the gap is fenced off. A holder that asks again in time keeps its fence. Before the
-- fence changes, the writes in flight come to their end (gate.hold_fence_v1); who only asks whether
-- the lease is free waits for nobody.
CREATE OR REPLACE FUNCTION gate.acquire_lease_v1(p_facility uuid, p_holder text, p_ttl interval)
RETURNS TABLE (fence bigint, revision bigint)
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gate.leases l
        WHERE l.facility_id = p_facility AND l.holder <> p_holder
            AND l.expires_at > pg_catalog.clock_timestamp())
    THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(gate.lease_lock_v1(p_facility));
    RETURN QUERY
        WITH taken AS (
            INSERT INTO gate.leases AS l (facility_id, holder, fence, expires_at)
            VALUES (p_facility, p_holder, 1, pg_catalog.clock_timestamp() + p_ttl)
            ON CONFLICT (facility_id) DO UPDATE SET
                holder = excluded.holder,
                fence = l.fence + CASE
                    WHEN l.holder = excluded.holder AND l.expires_at > pg_catalog.clock_timestamp()
                    THEN 0 ELSE 1 END,
                expires_at = pg_catalog.clock_timestamp() + p_ttl
            WHERE l.holder IS NULL
                OR l.holder = excluded.holder
                OR l.expires_at IS NULL
                OR l.expires_at <= pg_catalog.clock_timestamp()
            RETURNING l.facility_id, l.fence
        )
        SELECT taken.fence, coalesce(s.revision, 0)
        FROM taken LEFT JOIN gate.facility_settings s ON s.facility_id = taken.facility_id;
END
$$;
