-- Promises whether all that a rule's `for` asks is so of a stay with this context.
CREATE OR REPLACE FUNCTION gate.conditions_hold_v1(p_for jsonb, p_context jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(p_for -> 'vehicle_types' ? (p_context ->> 'vehicle_type'), NOT p_for ? 'vehicle_types')
        AND coalesce((p_for ->> 'electric')::boolean
            = coalesce((p_context ->> 'electric')::boolean, false), true)
        AND coalesce((p_for ->> 'accessible')::boolean
            = coalesce((p_context ->> 'accessible')::boolean, false), true)
        AND coalesce((p_for ->> 'reserved')::boolean = (p_context ? 'reserved_from'), true)
        AND coalesce(p_for -> 'zones' ? (p_context ->> 'zone'), NOT p_for ? 'zones')
        AND coalesce(p_for -> 'members' ?| ARRAY(
            SELECT jsonb_path_query(p_context, 'lax $.members[*]') #>> '{}'), true)
$$;
