-- Promises the violation of a stay that has outstayed its reservation by more than the facility's
-- grace, where the facility lists a penalty for it: once for each stay, whether it is found while the
-- vehicle stands there (p_lane is null) or when it leaves. Answers its id if this call opened it.
-- The time of an evacuation does not count.
CREATE OR REPLACE FUNCTION gate.open_overstay_v1(
    p_booking public.bookings, p_event uuid, p_lane uuid, p_at timestamptz
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_violation uuid := gate.offence_id_v1('overstay', p_booking.id::text);
BEGIN
    IF p_booking.reserved_until IS NULL
        OR NOT EXISTS (
            SELECT FROM gate.penalties p JOIN gate.facility_settings f USING (facility_id)
            WHERE p.facility_id = p_booking.facility_id AND p.violation_type = 'overstay'
                AND p_at - gate.evacuated_v1(
                    p_booking.facility_id, p_booking.entry_time, p_at)
                    > p_booking.reserved_until
                    + make_interval(mins => f.overstay_grace_minutes))
        OR EXISTS (SELECT FROM public.violations v WHERE v.id = v_violation)
    THEN
        RETURN NULL;
    END IF;
    PERFORM gate.open_violation_v1(
        v_violation, p_booking.facility_id, 'overstay', p_booking.id, p_booking.vehicle_id,
        p_booking.user_id, p_booking.plate_number, jsonb_strip_nulls(jsonb_build_object(
            'reserved_until', gate.utc_text_v1(p_booking.reserved_until),
            CASE WHEN p_lane IS NULL THEN 'seen_at' ELSE 'left_at' END, gate.utc_text_v1(p_at),
            'lane', p_lane)),
        p_at, p_event);
    RETURN v_violation;
END
$$;
