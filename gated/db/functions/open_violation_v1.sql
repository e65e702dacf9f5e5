-- Promises a violation of this id with the penalty that the facility lists for its kind (none: 0),
-- its evidence, and an audit row; answers the penalty. Called again with the same id it changes
-- nothing. Raises what a reference to something unknown raises, and GT005 for a booking of another
-- facility: nothing is written then.
CREATE OR REPLACE FUNCTION gate.open_violation_v1(
    p_violation uuid,
    p_facility uuid,
    p_type text,
    p_booking uuid,
    p_vehicle uuid,
    p_user uuid,
    p_plate text,
    p_evidence jsonb,
    p_at timestamptz,
    p_correlation uuid,
    p_actor text DEFAULT 'gated',
    p_staff uuid DEFAULT NULL
) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
    v_penalty numeric;
BEGIN
    INSERT INTO public.violations (
        id, user_id, vehicle_id, facility_id, booking_id, violation_type, penalty_amount,
        currency, violation_time, plate_number, evidence
    ) VALUES (
        p_violation, p_user, p_vehicle, p_facility, p_booking, p_type,
        coalesce((
            SELECT p.amount FROM gate.penalties p
            WHERE p.facility_id = p_facility AND p.violation_type = p_type), 0),
        (SELECT s.currency FROM gate.facility_settings s WHERE s.facility_id = p_facility),
        p_at, nullif(gate.plate_normal_v1(p_plate), ''), p_evidence
    )
    ON CONFLICT (id) DO NOTHING
    RETURNING penalty_amount INTO v_penalty;
    IF FOUND THEN
        IF p_booking IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.bookings b
            WHERE b.id = p_booking AND b.facility_id = p_facility AND b.entry_time = (
                SELECT t.entry_time FROM gate.tickets t WHERE t.booking_id = p_booking))
        THEN
            RAISE EXCEPTION 'facility % has no booking %', p_facility, p_booking
                USING ERRCODE = 'GT005';
        END IF;
        PERFORM gate.record_audit_v1(
            p_facility, 'violation.opened', 'violation', p_violation, p_at, p_correlation,
            jsonb_strip_nulls(jsonb_build_object(
                'type', p_type, 'booking', p_booking, 'penalty', v_penalty::text)),
            p_actor, p_staff);
        RETURN v_penalty;
    END IF;
    RETURN (SELECT v.penalty_amount FROM public.violations v WHERE v.id = p_violation);
END
$$;
