-- Promises that a validation of the tariff is given to a stay or a reservation, and audited: a
-- cinema's, a hotel's. It counts when the stay is priced next; given twice it counts twice.
--
-- Outcomes: 'validated'; with nothing written 'booking_unknown', 'booking_ended' (it has its final
-- price, or will not take place), 'validation_unknown' (the tariff that governs has none of the name).
CREATE OR REPLACE FUNCTION gate.validate_stay_v1(
    p_facility uuid,
    p_booking uuid,
    p_validation text,
    p_at timestamptz,
    p_actor text DEFAULT 'web',
    p_staff uuid DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_rule public.pricing_rules;
BEGIN
    v_booking := gate.lock_booking_v1(p_facility, p_booking);
    IF v_booking.id IS NULL THEN
        RETURN 'booking_unknown';
    ELSIF v_booking.status NOT IN ('PENDING', 'CONFIRMED', 'ACTIVE') THEN
        RETURN 'booking_ended';
    END IF;
    v_rule := gate.rule_in_force_v1(
        p_facility, v_booking.entry_time, gate.stay_context_v1(v_booking));
    IF (jsonb_path_query_array(v_rule.config, 'lax $.validations[*].name') ? p_validation)
        IS NOT TRUE
    THEN
        RETURN 'validation_unknown';
    END IF;
    UPDATE public.bookings b SET price_context = b.price_context || jsonb_build_object(
        'validations', coalesce(b.price_context -> 'validations', '[]') || to_jsonb(p_validation))
    WHERE b.id = p_booking AND b.entry_time = v_booking.entry_time;
    PERFORM gate.record_audit_v1(
        p_facility, 'stay.validated', 'booking', p_booking, p_at, p_booking,
        jsonb_build_object('validation', p_validation, 'rule', v_rule.id), p_actor, p_staff);
    RETURN 'validated';
END
$$;
