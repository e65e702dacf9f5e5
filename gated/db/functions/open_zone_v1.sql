-- Promises whether the zone may be given out, for it and the facility are in service; raises GT004
-- where it is none of the facility's.
CREATE OR REPLACE FUNCTION gate.open_zone_v1(p_facility uuid, p_zone uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_active boolean;
BEGIN
    SELECT z.is_active AND f.is_active INTO v_active
    FROM public.zones z JOIN public.facilities f ON f.id = z.facility_id
    WHERE z.id = p_zone AND z.facility_id = p_facility;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'facility % has no zone %', p_facility, p_zone USING ERRCODE = 'GT004';
    END IF;
    RETURN v_active;
END
$$;
