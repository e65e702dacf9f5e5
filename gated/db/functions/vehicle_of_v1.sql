-- Promises the registered vehicle of this id, else the one of this plate in normal form (that of
-- the user before others', an owned one before a mere plate); a row of nulls if there is none.
CREATE OR REPLACE FUNCTION gate.vehicle_of_v1(p_vehicle uuid, p_plate text, p_user uuid)
RETURNS public.vehicles
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_vehicle public.vehicles;
BEGIN
    IF p_vehicle IS NOT NULL THEN
        SELECT v.* INTO v_vehicle FROM public.vehicles v WHERE v.id = p_vehicle AND v.is_active;
    ELSE
        SELECT v.* INTO v_vehicle FROM public.vehicles v
        WHERE v.plate_normal = p_plate AND v.is_active
        ORDER BY (v.user_id = p_user) IS NOT TRUE, v.user_id IS NULL, v.is_verified DESC,
            v.created_at, v.id
        LIMIT 1;
    END IF;
    RETURN v_vehicle;
END
$$;
