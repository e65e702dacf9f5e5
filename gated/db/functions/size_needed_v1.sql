-- Promises the smallest spot that a vehicle of this type fits; it fits every larger one too.
CREATE OR REPLACE FUNCTION gate.size_needed_v1(p_type public.vehicle_type) RETURNS public.spot_size
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (CASE p_type
        WHEN 'MOTORCYCLE' THEN 'MOTORCYCLE'
        WHEN 'CAR' THEN 'COMPACT'
        WHEN 'SUV' THEN 'STANDARD'
        WHEN 'VAN' THEN 'LARGE'
        WHEN 'TRUCK' THEN 'OVERSIZED'
        WHEN 'BUS' THEN 'OVERSIZED'
    END)::public.spot_size
$$;
