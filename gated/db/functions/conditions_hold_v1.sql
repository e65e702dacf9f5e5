-- Promises whether all that a rule's `for` asks is so of a stay with this context.
CREATE OR REPLACE FUNCTION gate.conditions_hold_v1(p_for jsonb, p_context jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- One at a time: of a hundred rules most fail at the first.
    IF p_for ? 'members' AND (
        jsonb_typeof(p_context -> 'members') = 'array' AND p_for -> 'members' ?| ARRAY(
            SELECT jsonb_array_elements_text(p_context -> 'members'))) IS NOT TRUE
    THEN
        RETURN false;
    END IF;
    IF p_for ? 'vehicle_types'
        AND (p_for -> 'vehicle_types' ? (p_context ->> 'vehicle_type')) IS NOT TRUE
    THEN
        RETURN false;
    END IF;
    IF p_for ? 'zones' AND (p_for -> 'zones' ? (p_context ->> 'zone')) IS NOT TRUE THEN
        RETURN false;
    END IF;
    RETURN coalesce((p_for ->> 'electric')::boolean
            = coalesce((p_context ->> 'electric')::boolean, false), true)
        AND coalesce((p_for ->> 'accessible')::boolean
            = coalesce((p_context ->> 'accessible')::boolean, false), true)
        AND coalesce((p_for ->> 'reserved')::boolean = (p_context ? 'reserved_from'), true);
END
$$;
