-- Promises the registered vehicle of this id, else the one of this plate in normal form (that of
-- the user before others', an owned one before a mere plate); a row of nulls if there is none.
CREATE OR REPLACE FUNCTION gate.vehicle_of_v1(p_vehicle uuid, p_plate text, p_user uuid)
RETURNS public.vehicles
LANGUAGE sql STABLE AS $$
    SELECT v.* FROM public.vehicles v
    WHERE v.is_active
        AND CASE WHEN p_vehicle IS NULL THEN v.plate_normal = p_plate ELSE v.id = p_vehicle END
    ORDER BY (v.user_id = p_user) IS NOT TRUE, v.user_id IS NULL, v.is_verified DESC,
        v.created_at, v.id
    LIMIT 1
$$;
