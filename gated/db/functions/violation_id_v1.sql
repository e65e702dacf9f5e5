-- Promises the id of the violation of a kind that an event shows: the same whenever one asks, so that
-- it is opened once.
CREATE OR REPLACE FUNCTION gate.violation_id_v1(p_event uuid, p_kind text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT md5(p_event::text || '/' || p_kind)::uuid
$$;
