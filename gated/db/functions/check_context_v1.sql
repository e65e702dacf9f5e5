-- Promises that a context is one of gate.price_stay_v1, for a stay that begins at p_entry; raises
-- GT017, which says what is wrong. Times are RFC 3339 with an offset, whatever the session would
-- understand besides, and no farther from the entry than p_seconds_max.
CREATE OR REPLACE FUNCTION gate.check_context_v1(
    p_context jsonb, p_entry timestamptz, p_seconds_max numeric
) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c_time CONSTANT text :=
        '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})$';
    v_fault text;
BEGIN
    IF p_context = '{}' THEN
        RETURN;
    END IF;
    IF jsonb_typeof(p_context) <> 'object' THEN
        RAISE EXCEPTION 'context: expected an object' USING ERRCODE = 'GT017';
    END IF;
    SELECT CASE WHEN k.key IS NULL THEN f.key || ': no such key'
        ELSE f.key || ': expected ' || k.kind END
    INTO v_fault
    FROM jsonb_each(p_context) f
    LEFT JOIN (VALUES
        ('vehicle_type', 'a type of vehicle', 'string'), ('electric', 'true or false', 'boolean'),
        ('accessible', 'true or false', 'boolean'), ('members', 'a list of names', 'array'),
        ('zone', 'a text', 'string'), ('reserved_from', 'a time with offset', 'string'),
        ('reserved_until', 'a time with offset', 'string'),
        ('occupancy_percent', 'a number', 'number'), ('validations', 'a list of names', 'array'),
        ('lost_ticket', 'true or false', 'boolean'),
        ('earlier_visit', 'entry, exit and amount', 'object')
    ) k (key, kind, type) ON k.key = f.key
    WHERE k.key IS NULL OR jsonb_typeof(f.value) <> k.type
        OR CASE f.key
            WHEN 'vehicle_type' THEN f.value #>> '{}' <> ALL (
                enum_range(NULL::public.vehicle_type)::text[])
            WHEN 'reserved_from' THEN f.value #>> '{}' !~ c_time
            WHEN 'reserved_until' THEN f.value #>> '{}' !~ c_time
            WHEN 'members' THEN jsonb_path_exists(f.value, '$[*] ? (@.type() != "string")')
            WHEN 'validations' THEN jsonb_path_exists(f.value, '$[*] ? (@.type() != "string")')
            WHEN 'earlier_visit' THEN (f.value ->> 'entry' ~ c_time AND f.value ->> 'exit' ~ c_time
                AND f.value ->> 'amount' ~ '^[0-9]{1,12}([.][0-9]{1,8})?$') IS NOT TRUE
            ELSE false END
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'context: %', v_fault USING ERRCODE = 'GT017';
    END IF;
    IF NOT p_context ?| '{reserved_from,reserved_until,earlier_visit}' THEN
        RETURN;
    END IF;
    IF (p_context ? 'reserved_from') <> (p_context ? 'reserved_until')
        OR (p_context ->> 'reserved_from')::timestamptz
            >= (p_context ->> 'reserved_until')::timestamptz
        OR (p_context #>> '{earlier_visit,exit}')::timestamptz
            < (p_context #>> '{earlier_visit,entry}')::timestamptz
    THEN
        RAISE EXCEPTION 'context: reserved_from goes before reserved_until, an entry before its exit'
            USING ERRCODE = 'GT017';
    END IF;
    IF EXISTS (
        SELECT FROM (VALUES
            (p_context ->> 'reserved_from'), (p_context ->> 'reserved_until'),
            (p_context #>> '{earlier_visit,entry}'), (p_context #>> '{earlier_visit,exit}')
        ) t (at)
        WHERE abs(extract(epoch FROM t.at::timestamptz) - extract(epoch FROM p_entry))
            > p_seconds_max)
    THEN
        RAISE EXCEPTION 'context: a time that is more than ten years from the entry'
            USING ERRCODE = 'GT017';
    END IF;
EXCEPTION
    WHEN data_exception THEN
        RAISE EXCEPTION 'context: %', SQLERRM USING ERRCODE = 'GT017';
END
$$;
