-- Promises that the spots of reservations whose vehicles may come by now are marked RESERVED, so
-- that counters, signs and the web shop see them held; answers how many were marked.
--
-- The claims hold the spots with or without the mark. A spot that somebody works on just now is
-- left for the next call; who has it has its claims, so they are looked at once more then.
CREATE OR REPLACE FUNCTION gate.hold_spots_v1(p_facility uuid, p_at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_claim record;
    v_marked integer := 0;
BEGIN
    FOR v_claim IN
        SELECT c.booking_id, c.spot_id
        FROM gate.facility_settings f
        JOIN gate.claims c ON c.facility_id = f.facility_id
        JOIN public.parking_spots s ON s.id = c.spot_id
        WHERE f.facility_id = p_facility AND c.kind = 'reservation'
            AND c.entry_time <= p_at + make_interval(mins => f.early_minutes_max)
            AND s.status = 'AVAILABLE'
        ORDER BY c.entry_time, c.booking_id
        FOR NO KEY UPDATE OF s SKIP LOCKED
    LOOP
        UPDATE public.parking_spots s SET status = 'RESERVED', current_booking = v_claim.booking_id
        WHERE s.id = v_claim.spot_id AND s.status = 'AVAILABLE' AND EXISTS (
            SELECT FROM gate.claims c
            WHERE c.booking_id = v_claim.booking_id AND c.spot_id = s.id
                AND c.kind = 'reservation');
        IF FOUND THEN
            v_marked := v_marked + 1;
        END IF;
    END LOOP;
    RETURN v_marked;
END
$$;
