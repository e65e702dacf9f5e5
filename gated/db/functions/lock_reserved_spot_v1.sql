-- Promises the spot for a reservation, locked until the transaction ends: p_spot itself, or the
-- fittest of p_zone or of all zones in the order of their codes; null if none is free.
CREATE OR REPLACE FUNCTION gate.lock_reserved_spot_v1(
    p_facility uuid,
    p_zone uuid,
    p_spot uuid,
    p_size public.spot_size,
    p_wants_charger boolean,
    p_accessible boolean,
    p_during tstzrange,
    p_at timestamptz,
    p_seed uuid
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_settings gate.facility_settings;
    v_chargers boolean[];
    v_accessible boolean[];
    v_spot uuid;
BEGIN
    SELECT s.* INTO v_settings FROM gate.facility_settings s WHERE s.facility_id = p_facility;
    IF p_spot IS NOT NULL THEN
        SELECT s.id INTO v_spot FROM public.parking_spots s WHERE s.id = p_spot FOR NO KEY UPDATE;
        RETURN CASE WHEN gate.spot_free_v1(
            v_spot, p_during, p_at, v_settings.stay_minutes_expected) THEN v_spot END;
    END IF;
    SELECT k.chargers, k.accessible INTO v_chargers, v_accessible
    FROM gate.spot_classes_v1(p_wants_charger, p_accessible, v_settings.ev_spots_kept) k;
    RETURN gate.lock_spot_ahead_v1(
        p_facility, p_zone, p_size, v_chargers, v_accessible, p_during, p_at,
        v_settings.stay_minutes_expected, p_seed);
END
$$;
