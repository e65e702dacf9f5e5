-- Promises where windows of this kind end within (p_from, p_until), in order.
CREATE OR REPLACE FUNCTION gate.window_borders_v1(
    p_per text, p_begins text, p_week_begins text, p_zone text, p_from timestamptz,
    p_until timestamptz
) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_border timestamptz := p_from;
BEGIN
    LOOP
        v_border := gate.window_ends_v1(
            p_per, p_begins, p_week_begins, p_zone, p_from, v_border);
        EXIT WHEN v_border >= p_until;
        RETURN NEXT v_border;
    END LOOP;
END
$$;
