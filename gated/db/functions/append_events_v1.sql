-- Promises that the messages are stored in the order given, each event key once and for all; per
-- message: whether it is new.
--
-- gate.event_keys is the judge, over all months and within the batch. A call that is repeated with
-- the same ids after a lost answer finds its own rows and answers what the first one answered.
CREATE OR REPLACE FUNCTION gate.append_events_v1(
    p_facility uuid,
    p_fence bigint,
    p_ids uuid[],
    p_keys text[],
    p_devices uuid[],
    p_lanes uuid[],
    p_topics text[],
    p_payloads bytea[],
    p_kinds text[],
    p_statuses text[],
    p_errors text[],
    p_device_ats timestamptz[],
    p_received_ats timestamptz[]
) RETURNS boolean[]
LANGUAGE plpgsql AS $$
DECLARE
    v_new boolean[];
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);

    WITH incoming AS (
        SELECT i.*, coalesce(i.device_id::text, '-') || '/' || i.own_key AS event_key
        FROM unnest(
            p_ids, p_keys, p_devices, p_lanes, p_topics, p_payloads, p_kinds, p_statuses,
            p_errors, p_device_ats, p_received_ats
        ) WITH ORDINALITY AS i (
            id, own_key, device_id, lane_id, topic, payload, kind, status,
            error, device_at, received_at, position
        )
    ), keyed AS (
        INSERT INTO gate.event_keys (facility_id, event_key, event_id, received_at)
        SELECT p_facility, i.event_key, i.id, i.received_at FROM incoming i ORDER BY i.position
        ON CONFLICT (facility_id, event_key) DO NOTHING
        RETURNING event_id
    )
    INSERT INTO gate.events (
        id, facility_id, device_id, lane_id, event_key, kind, topic, payload, status, error,
        device_at, received_at
    )
    SELECT
        i.id, p_facility, i.device_id, i.lane_id, i.event_key, i.kind, i.topic, i.payload,
        i.status, i.error, i.device_at, i.received_at
    FROM incoming i JOIN keyed k ON k.event_id = i.id
    ORDER BY i.position;

    -- Key by key: a join may read all keys of a facility that the statistics do not know yet.
    SELECT array_agg(coalesce((
        SELECT k.event_id = i.id FROM gate.event_keys k
        WHERE k.facility_id = p_facility
            AND k.event_key = coalesce(i.device_id::text, '-') || '/' || i.own_key
    ), false) ORDER BY i.position) INTO v_new
    FROM unnest(p_ids, p_keys, p_devices) WITH ORDINALITY AS i (id, own_key, device_id, position);
    RETURN coalesce(v_new, '{}');
END
$$;
