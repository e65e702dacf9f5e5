-- Promises the periods that a stay is charged for, in order: its own, or what a rule's `reservation`
-- makes of it and of the period that was reserved. `reserved`: by the rule of the reservation.
CREATE OR REPLACE FUNCTION gate.charged_periods_v1(
    p_reservation jsonb, p_entry timestamptz, p_exit timestamptz, p_reserved tstzrange
) RETURNS TABLE (starts timestamptz, ends timestamptz, reserved boolean)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_from timestamptz;
    v_until timestamptz;
BEGIN
    IF p_reservation IS NULL OR p_reserved IS NULL THEN
        RETURN QUERY SELECT p_entry, p_exit, true;
        RETURN;
    END IF;
    v_from := CASE
        WHEN p_entry < lower(p_reserved) AND p_reservation ->> 'early' = 'charged' THEN p_entry
        WHEN p_reservation ->> 'unused' = 'charged' THEN lower(p_reserved)
        ELSE greatest(p_entry, lower(p_reserved)) END;
    v_until := CASE WHEN p_reservation ->> 'unused' = 'charged'
        THEN greatest(p_exit, upper(p_reserved)) ELSE greatest(p_exit, v_from) END;
    IF v_until > upper(p_reserved) AND p_reservation ->> 'overstay' = 'anew' THEN
        RETURN QUERY
            SELECT v_from, upper(p_reserved), true WHERE v_from < upper(p_reserved)
            UNION ALL
            SELECT greatest(v_from, p_entry, upper(p_reserved)), v_until, false;
    ELSE
        RETURN QUERY SELECT v_from, v_until, true;
    END IF;
END
$$;
