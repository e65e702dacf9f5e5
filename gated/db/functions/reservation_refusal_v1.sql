-- Promises the reason why a reservation cannot be made whatever is free; null if it may be tried.
-- A part of gate.reserve_v1, which lists the words.
CREATE OR REPLACE FUNCTION gate.reservation_refusal_v1(
    p_facility uuid,
    p_from timestamptz,
    p_until timestamptz,
    p_at timestamptz,
    p_plate text,
    p_vehicle uuid,
    p_zone uuid,
    p_spot uuid,
    p_size public.spot_size,
    p_wants_charger boolean,
    p_accessible boolean
) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_facility record;
    v_zone record;
    v_spot record;
    v_permitted boolean;
BEGIN
    SELECT f.is_active, s.ev_spots_kept INTO v_facility
    FROM public.facilities f JOIN gate.facility_settings s ON s.facility_id = f.id
    WHERE f.id = p_facility;
    IF NOT FOUND THEN
        RETURN 'facility_unknown';
    ELSIF NOT v_facility.is_active THEN
        RETURN 'facility_closed';
    ELSIF p_from IS NULL OR p_until IS NULL OR NOT isfinite(p_from) OR NOT isfinite(p_until)
        OR p_until <= p_from OR p_until <= p_at OR p_from < p_at - interval '1 day'
    THEN
        RETURN 'period_invalid';
    ELSIF p_from > p_at + interval '2 years' THEN
        RETURN 'period_too_far';
    -- Signs that nobody sees, too: they come with what is copied from elsewhere.
    ELSIF length(p_plate) NOT BETWEEN 1 AND 16 OR p_plate
        ~ '[[:space:][:cntrl:][:punct:]\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]'
    THEN
        RETURN 'plate_invalid';
    ELSIF EXISTS (
        SELECT FROM public.vehicles v
        WHERE (v.plate_normal = p_plate OR v.id = p_vehicle) AND v.is_active AND v.is_blocked)
    THEN
        RETURN 'vehicle_blocked';
    END IF;

    IF p_vehicle IS NOT NULL THEN
        SELECT v.has_accessible_permit INTO v_permitted
        FROM public.vehicles v WHERE v.id = p_vehicle AND v.is_active;
        IF NOT FOUND THEN
            RETURN 'vehicle_unknown';
        ELSIF p_accessible AND NOT v_permitted THEN
            RETURN 'accessible_not_permitted';
        END IF;
    END IF;
    IF p_zone IS NOT NULL THEN
        SELECT z.is_active INTO v_zone FROM public.zones z
        WHERE z.id = p_zone AND z.facility_id = p_facility;
        IF NOT FOUND THEN
            RETURN 'zone_unknown';
        ELSIF NOT v_zone.is_active THEN
            RETURN 'zone_closed';
        END IF;
    END IF;
    IF p_spot IS NOT NULL THEN
        SELECT s.*, z.is_active AS zone_is_active INTO v_spot
        FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
        WHERE s.id = p_spot AND z.facility_id = p_facility AND z.id = coalesce(p_zone, z.id);
        IF NOT FOUND THEN
            RETURN 'spot_unknown';
        ELSIF NOT v_spot.zone_is_active THEN
            RETURN 'zone_closed';
        ELSIF NOT v_spot.is_active OR v_spot.status = 'MAINTENANCE' THEN
            RETURN 'spot_out_of_service';
        ELSIF v_spot.size < p_size OR (v_spot.is_accessible AND NOT p_accessible)
            OR (v_spot.has_ev_charger AND v_facility.ev_spots_kept AND NOT p_wants_charger)
        THEN
            RETURN 'spot_unfit';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
