-- Promises a new stay on a free spot of the zone, and the subscription's entry taken where it
-- comes with one; or an outcome with nothing written. A part of gate.admit_v1.
--
-- waited_ms: how long it waited for the spot.
--
-- The spot is found and claimed by one statement: the claim follows the row of the booking.
CREATE OR REPLACE FUNCTION gate.admit_walk_in_v1(
    p_facility uuid,
    p_stay uuid,
    p_lane uuid,
    p_zone uuid,
    p_plate text,
    p_plate_raw text,
    p_at timestamptz,
    p_vehicle uuid,
    p_user uuid,
    p_entitlement text,
    p_subscription uuid,
    OUT outcome text,
    OUT stay uuid,
    OUT spot uuid,
    OUT spot_number text,
    OUT ticket text,
    OUT waited_ms real
)
LANGUAGE plpgsql AS $$
DECLARE
    v_settings gate.facility_settings;
    v_vehicle public.vehicles;
    v_until timestamptz;
BEGIN
    IF NOT gate.open_zone_v1(p_facility, p_zone) THEN
        outcome := 'zone_closed';
        RETURN;
    END IF;
    SELECT s.* INTO v_settings FROM gate.facility_settings s WHERE s.facility_id = p_facility;
    SELECT v.* INTO v_vehicle FROM public.vehicles v WHERE v.id = p_vehicle;
    v_until := p_at + make_interval(mins => coalesce(v_settings.stay_minutes_expected, 240));

    WITH found AS MATERIALIZED (
        SELECT f.spot, f.refusal, f.waited_ms
        FROM gate.lock_spot_v1(
            p_zone, p_lane,
            gate.size_needed_v1(coalesce(
                v_vehicle.vehicle_type, v_settings.vehicle_type_default, 'CAR')),
            coalesce(v_vehicle.is_electric, false),
            coalesce(v_vehicle.has_accessible_permit, false),
            tstzrange(p_at, v_until), p_stay) f
    ), entry AS MATERIALIZED (
        SELECT CASE WHEN p_subscription IS NULL THEN 'admitted'
            ELSE gate.take_entry_v1(p_facility, p_subscription, p_user, p_at) END AS taken
        FROM found WHERE found.spot IS NOT NULL
    ), opened AS (
        INSERT INTO public.bookings (
            id, user_id, vehicle_id, spot_id, facility_id, booking_type, status, entry_time,
            expected_exit, plate_number, plate_raw, currency, price_context, entry_lane_id,
            entitlement, user_subscription_id
        )
        SELECT
            p_stay, p_user, p_vehicle, found.spot, p_facility,
            (CASE WHEN p_subscription IS NULL THEN 'WALK_IN' ELSE 'SUBSCRIPTION' END)
                ::public.booking_type,
            'ACTIVE', p_at, v_until, p_plate, p_plate_raw, v_settings.currency,
            gate.entry_context_v1(p_facility, p_at), p_lane, p_entitlement, p_subscription
        FROM found, entry WHERE entry.taken = 'admitted'
        RETURNING bookings.id, bookings.spot_id, bookings.ticket_number
    )
    SELECT
        coalesce(found.refusal, entry.taken), opened.id, opened.spot_id, opened.ticket_number,
        found.waited_ms
    INTO outcome, stay, spot, ticket, waited_ms
    FROM found LEFT JOIN entry ON true LEFT JOIN opened ON true;
    SELECT s.spot_number INTO spot_number FROM public.parking_spots s WHERE s.id = spot;
END
$$;
