-- Promises, in one transaction, a spot of the facility that nobody else has in the period, held by
-- a confirmed booking of this id, and its audit row. For the web shop and the command line.
--
-- The spot is p_spot if that is given; else the fittest free one of p_zone; else of the zones in
-- the order of their codes. What it must offer is p_size, else what the vehicle needs, else what
-- the facility takes a stranger for. An accessible spot is for a vehicle with the permit; for one
-- that nobody registered the caller vouches. The vehicle is p_vehicle, else the registered one of the
-- plate; the plate is what opens the entrance.
--
-- Outcomes: 'reserved'; or, with nothing written:
--   facility_unknown, facility_closed, zone_unknown, zone_closed, spot_unknown,
--   spot_out_of_service, spot_unfit (too small, or for others), spot_taken, no_spot,
--   period_invalid (it ends before it begins, is over, or began more than a day ago),
--   period_too_far (it begins in more than two years),
--   plate_invalid, vehicle_unknown, vehicle_blocked, accessible_not_permitted.
-- Called again with the same id, also while the first call is at work, it answers what stands:
-- 'reserved', or 'booking_ended'.
CREATE OR REPLACE FUNCTION gate.reserve_v1(
    p_booking uuid,
    p_facility uuid,
    p_from timestamptz,
    p_until timestamptz,
    p_at timestamptz,
    p_plate text DEFAULT NULL,
    p_vehicle uuid DEFAULT NULL,
    p_user uuid DEFAULT NULL,
    p_zone uuid DEFAULT NULL,
    p_spot uuid DEFAULT NULL,
    p_size public.spot_size DEFAULT NULL,
    p_wants_charger boolean DEFAULT NULL,
    p_accessible boolean DEFAULT false,
    p_actor text DEFAULT 'web',
    p_staff uuid DEFAULT NULL,
    OUT outcome text,
    OUT ticket text,
    OUT zone uuid,
    OUT spot uuid,
    OUT spot_number text,
    OUT estimated_price numeric,
    OUT currency char(3)
)
LANGUAGE plpgsql AS $$
DECLARE
    v_settings gate.facility_settings;
    v_vehicle public.vehicles;
    v_booking public.bookings;
    v_plate text := gate.plate_normal_v1(p_plate);
    v_size public.spot_size;
    v_wants_charger boolean;
    v_estimate numeric;
BEGIN
    -- No row can be locked that is still to be made.
    PERFORM pg_advisory_xact_lock(hashtextextended(p_booking::text, 0));
    v_booking := gate.lock_booking_v1(p_facility, p_booking);
    IF v_booking.id IS NOT NULL THEN
        outcome := CASE WHEN gate.has_claim(v_booking) THEN 'reserved' ELSE 'booking_ended' END;
    ELSE
        SELECT s.* INTO v_settings FROM gate.facility_settings s WHERE s.facility_id = p_facility;
        v_vehicle := gate.vehicle_of_v1(p_vehicle, v_plate, p_user);
        v_plate := coalesce(v_plate, v_vehicle.plate_normal);
        v_wants_charger := coalesce(p_wants_charger, v_vehicle.is_electric, false);
        v_size := coalesce(
            p_size,
            gate.size_needed_v1(coalesce(v_vehicle.vehicle_type, v_settings.vehicle_type_default)));
        outcome := gate.reservation_refusal_v1(
            p_facility, p_from, p_until, p_at, v_plate, coalesce(p_vehicle, v_vehicle.id),
            p_zone, p_spot, v_size, v_wants_charger, p_accessible);
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
        spot := gate.lock_reserved_spot_v1(
            p_facility, p_zone, p_spot, v_size, v_wants_charger, p_accessible,
            tstzrange(p_from, p_until), p_at, p_booking);
        IF spot IS NULL THEN
            outcome := CASE WHEN p_spot IS NULL THEN 'no_spot' ELSE 'spot_taken' END;
            RETURN;
        END IF;

        BEGIN
            SELECT q.amount INTO v_estimate
            FROM gate.quote_v1(
                p_facility, p_from, p_until, v_vehicle.id, coalesce(p_user, v_vehicle.user_id),
                (SELECT s.zone_id FROM public.parking_spots s WHERE s.id = reserve_v1.spot), true) q;
        EXCEPTION WHEN SQLSTATE 'GT011' THEN
            NULL;  -- The tariff of that time is still to come: there is no estimate.
        END;
        INSERT INTO public.bookings (
            id, user_id, vehicle_id, spot_id, facility_id, booking_type, status, entry_time,
            expected_exit, reserved_from, reserved_until, plate_number, plate_raw, size_needed,
            wants_ev_charger, needs_accessible, currency, estimated_price
        ) VALUES (
            p_booking, coalesce(p_user, v_vehicle.user_id), v_vehicle.id, spot, p_facility,
            'RESERVATION', 'CONFIRMED', p_from, p_until, p_from, p_until, v_plate, p_plate, v_size,
            v_wants_charger, p_accessible, v_settings.currency,
            v_estimate
        ) RETURNING bookings.* INTO v_booking;
        PERFORM gate.record_audit_v1(
            p_facility, 'booking.reserved', 'booking', p_booking, p_at, p_booking,
            jsonb_strip_nulls(jsonb_build_object(
                'spot', spot, 'from', gate.utc_text_v1(p_from), 'until', gate.utc_text_v1(p_until),
                'vehicle', v_vehicle.id)),
            p_actor, p_staff);
        outcome := 'reserved';
    END IF;

    ticket := v_booking.ticket_number;
    estimated_price := v_booking.estimated_price;
    currency := v_booking.currency;
    SELECT s.zone_id, s.id, s.spot_number INTO zone, spot, spot_number
    FROM public.parking_spots s WHERE s.id = v_booking.spot_id;
END
$$;
