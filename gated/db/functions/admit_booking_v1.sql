-- Promises that a reservation has become a stay, on its own spot where that is in the zone and
-- free, else on another of the zone that suits it; or an outcome with nothing written. A part of
-- gate.admit_v1.
--
-- waited_ms: how long it took to lock the booking and its spot.
CREATE OR REPLACE FUNCTION gate.admit_booking_v1(
    p_facility uuid,
    p_booking uuid,
    p_lane uuid,
    p_zone uuid,
    p_plate text,
    p_plate_raw text,
    p_at timestamptz,
    p_vehicle uuid,
    OUT outcome text,
    OUT stay uuid,
    OUT spot uuid,
    OUT spot_number text,
    OUT ticket text,
    OUT waited_ms real
)
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_during tstzrange;
    v_since timestamptz;
    v_waited_ms real;
BEGIN
    IF NOT gate.open_zone_v1(p_facility, p_zone) THEN
        outcome := 'zone_closed';
        RETURN;
    END IF;
    v_since := clock_timestamp();
    v_booking := gate.lock_booking_v1(p_facility, p_booking);
    waited_ms := gate.ms_since_v1(v_since);
    IF v_booking.status IS DISTINCT FROM 'CONFIRMED' THEN
        outcome := 'booking_not_open';
        RETURN;
    END IF;
    IF NOT gate.booking_due_v1(
        p_facility, v_booking.entry_time, v_booking.expected_exit, p_at)
    THEN
        outcome := 'booking_not_due';
        RETURN;
    END IF;
    v_during := tstzrange(p_at, v_booking.expected_exit);

    -- A subtransaction: with a spot in hand that cannot be had nobody may wait for another.
    v_since := clock_timestamp();
    BEGIN
        SELECT s.id INTO spot FROM public.parking_spots s
        WHERE s.id = v_booking.spot_id AND s.zone_id = p_zone AND s.is_active
            AND (s.status = 'AVAILABLE'
                OR s.status = 'RESERVED' AND s.current_booking = p_booking)
        FOR NO KEY UPDATE;
        waited_ms := waited_ms + gate.ms_since_v1(v_since);
        IF NOT FOUND OR EXISTS (
            SELECT FROM gate.claims c
            WHERE c.spot_id = spot AND c.during && v_during AND c.booking_id <> p_booking)
        THEN
            RAISE EXCEPTION 'its own spot cannot be had' USING ERRCODE = 'GT020';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'GT020' THEN
            spot := NULL;
    END;
    IF spot IS NULL THEN
        SELECT f.spot, f.refusal, f.waited_ms INTO spot, outcome, v_waited_ms
        FROM gate.lock_spot_v1(
            p_zone, p_lane,
            coalesce(v_booking.size_needed, gate.size_needed_v1(coalesce(
                (SELECT v.vehicle_type FROM public.vehicles v
                 WHERE v.id = coalesce(v_booking.vehicle_id, p_vehicle)),
                (SELECT f.vehicle_type_default FROM gate.facility_settings f
                 WHERE f.facility_id = p_facility),
                'CAR'))),
            v_booking.wants_ev_charger, v_booking.needs_accessible, v_during, p_booking) f;
        waited_ms := waited_ms + v_waited_ms;
        IF spot IS NULL THEN
            RETURN;
        END IF;
    END IF;

    UPDATE public.bookings b SET
        status = 'ACTIVE',
        entry_time = p_at,
        -- One that the web shop wrote by itself may state its period by these two alone.
        reserved_from = coalesce(
            b.reserved_from, CASE WHEN b.expected_exit IS NOT NULL THEN b.entry_time END),
        reserved_until = coalesce(b.reserved_until, b.expected_exit),
        spot_id = admit_booking_v1.spot,
        plate_number = p_plate,
        plate_raw = p_plate_raw,
        vehicle_id = coalesce(b.vehicle_id, p_vehicle),
        entry_lane_id = p_lane,
        entitlement = 'reservation',
        currency = coalesce(b.currency, (
            SELECT f.currency FROM gate.facility_settings f WHERE f.facility_id = p_facility)),
        price_context = b.price_context || gate.entry_context_v1(p_facility, p_at)
    WHERE b.id = p_booking AND b.entry_time = v_booking.entry_time;
    outcome := 'admitted';
    stay := p_booking;
    ticket := v_booking.ticket_number;
    SELECT s.spot_number INTO spot_number FROM public.parking_spots s WHERE s.id = spot;
END
$$;
