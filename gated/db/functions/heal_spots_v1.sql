-- Promises that each spot that a stay claims says so, and that none names a booking which has ended,
-- with an audit row per spot; answers how many did not. A spot that somebody works on just now is
-- left for the next call.
--
-- This follows from the claims, and those from the bookings. What people say of a spot (that it is
-- held, out of service, occupied by something without a booking) is theirs, and stays.
CREATE OR REPLACE FUNCTION gate.heal_spots_v1(
    p_facility uuid, p_at timestamptz, p_actor text DEFAULT 'gated'
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_spot record;
    v_stay uuid;
    v_healed integer := 0;
BEGIN
    FOR v_spot IN
        SELECT s.id, s.status, s.current_booking
        FROM public.zones z
        JOIN public.parking_spots s ON s.zone_id = z.id
        LEFT JOIN gate.claims c ON c.spot_id = s.id AND c.kind = 'stay'
        LEFT JOIN gate.tickets t ON t.booking_id = s.current_booking
        LEFT JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        WHERE z.facility_id = p_facility AND CASE
            WHEN c.booking_id IS NOT NULL THEN s.current_booking IS DISTINCT FROM c.booking_id
                OR s.status IN ('AVAILABLE', 'RESERVED')
            ELSE b.status IN ('COMPLETED', 'CANCELLED', 'NO_SHOW') END
        FOR NO KEY UPDATE OF s SKIP LOCKED
    LOOP
        -- Who has the spot has its claims to itself: this look is the true one.
        SELECT c.booking_id INTO v_stay FROM gate.claims c
        WHERE c.spot_id = v_spot.id AND c.kind = 'stay';
        UPDATE public.parking_spots s SET
            status = CASE WHEN s.status = 'MAINTENANCE' THEN s.status
                WHEN v_stay IS NOT NULL THEN 'OCCUPIED' ELSE 'AVAILABLE' END,
            current_booking = v_stay
        WHERE s.id = v_spot.id
            AND (s.status, s.current_booking) IS NOT DISTINCT FROM
                (v_spot.status, v_spot.current_booking)
            AND (v_stay IS NULL OR s.current_booking IS DISTINCT FROM v_stay
                OR s.status IN ('AVAILABLE', 'RESERVED'));
        IF FOUND THEN
            v_healed := v_healed + 1;
            PERFORM gate.record_audit_v1(
                p_facility, 'spot.healed', 'spot', v_spot.id, p_at, coalesce(
                    v_stay, v_spot.current_booking),
                jsonb_build_object('status', v_spot.status,
                    'booking', v_spot.current_booking, 'stay', v_stay), p_actor);
        END IF;
    END LOOP;
    RETURN v_healed;
END
$$;
