-- Promises a spot of the zone for a stay that comes from another one, with its row locked until the
-- transaction ends, or why there is none: as gate.lock_spot_v1, which lists the words.
--
-- It must be free for as long as the stay is expected to last; one that lasts longer than that is
-- expected to last as long again as any other.
CREATE OR REPLACE FUNCTION gate.lock_moved_spot_v1(
    p_booking public.bookings, p_lane uuid, p_zone uuid, p_at timestamptz,
    OUT spot uuid, OUT refusal text, OUT waited_ms real
)
LANGUAGE plpgsql AS $$
DECLARE
    v_settings gate.facility_settings;
    v_vehicle public.vehicles;
BEGIN
    SELECT s.* INTO v_settings FROM gate.facility_settings s
    WHERE s.facility_id = p_booking.facility_id;
    SELECT v.* INTO v_vehicle FROM public.vehicles v WHERE v.id = p_booking.vehicle_id;
    SELECT f.spot, f.refusal, f.waited_ms INTO spot, refusal, waited_ms
    FROM gate.lock_spot_v1(
        p_zone, p_lane,
        coalesce(p_booking.size_needed, gate.size_needed_v1(coalesce(
            v_vehicle.vehicle_type, v_settings.vehicle_type_default, 'CAR'))),
        coalesce(v_vehicle.is_electric, false) OR p_booking.wants_ev_charger,
        coalesce(v_vehicle.has_accessible_permit, false) OR p_booking.needs_accessible,
        -- The claim keeps the beginning of the stay.
        tstzrange(p_booking.entry_time, CASE
            WHEN p_booking.expected_exit IS NULL OR p_booking.expected_exit > p_at
                THEN p_booking.expected_exit
            ELSE p_at + make_interval(mins => coalesce(v_settings.stay_minutes_expected, 240)) END),
        p_booking.id) f;
END
$$;
