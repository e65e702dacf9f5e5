-- Promises that a context is one of gate.price_stay_v1, by the kinds of its values; raises GT017,
-- which says what is wrong.
CREATE OR REPLACE FUNCTION gate.check_context_v1(p_context jsonb) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
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
        ('vehicle_type', 'a text', 'string'), ('electric', 'true or false', 'boolean'),
        ('accessible', 'true or false', 'boolean'), ('members', 'a list of names', 'array'),
        ('zone', 'a text', 'string'), ('reserved_from', 'a time with offset', 'string'),
        ('reserved_until', 'a time with offset', 'string'),
        ('occupancy_percent', 'a number', 'number'), ('validations', 'a list of names', 'array'),
        ('lost_ticket', 'true or false', 'boolean'),
        ('earlier_visit', 'entry, exit and amount', 'object')
    ) k (key, kind, type) ON k.key = f.key
    WHERE k.key IS NULL OR jsonb_typeof(f.value) <> k.type
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'context: %', v_fault
            USING ERRCODE = 'GT017';
    END IF;
    IF (p_context ? 'reserved_from') <> (p_context ? 'reserved_until')
        OR (p_context ->> 'reserved_from')::timestamptz
            >= (p_context ->> 'reserved_until')::timestamptz
        OR p_context ? 'earlier_visit' AND (
            (p_context #>> '{earlier_visit,exit}')::timestamptz
                >= (p_context #>> '{earlier_visit,entry}')::timestamptz
            AND (p_context #>> '{earlier_visit,amount}')::numeric >= 0) IS NOT TRUE
    THEN
        RAISE EXCEPTION
            'context: reserved_from goes before reserved_until; an earlier_visit has all three values'
            USING ERRCODE = 'GT017';
    END IF;
EXCEPTION
    WHEN data_exception THEN
        RAISE EXCEPTION 'context: %', SQLERRM USING ERRCODE = 'GT017';
END
$$;
