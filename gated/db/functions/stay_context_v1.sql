-- Promises the context that a booking is priced with, see gate.price_stay_v1; its zone is the one that
-- it came into (gate.zone_parts_v1 tells of the others). The earlier visit is
-- looked for only where the rule that governs asks for it: the last one of the plate that the
-- daemon let out within the day before, or the time that the rule states.
CREATE OR REPLACE FUNCTION gate.stay_context_v1(p_booking public.bookings) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_context jsonb := gate.party_context_v1(
            p_booking.facility_id, p_booking.vehicle_id, p_booking.user_id,
            coalesce(
                (SELECT g.zone_id FROM gate.stay_segments g
                 WHERE g.booking_id = p_booking.id AND g.position = 1),
                (SELECT s.zone_id FROM public.parking_spots s WHERE s.id = p_booking.spot_id),
                p_booking.zone_id),
            p_booking.entry_time)
        || p_booking.price_context;
    v_rule public.pricing_rules;
    v_earlier jsonb;
BEGIN
    IF p_booking.reserved_from IS NOT NULL THEN
        v_context := v_context || jsonb_build_object(
            'reserved_from', gate.utc_text_v1(p_booking.reserved_from),
            'reserved_until', gate.utc_text_v1(p_booking.reserved_until));
    END IF;
    v_rule := gate.rule_in_force_v1(p_booking.facility_id, p_booking.entry_time, v_context);
    IF v_rule.config ->> 'second_visit' <> 'separate' THEN
        SELECT jsonb_build_object('entry', gate.utc_text_v1(b.entry_time),
            'exit', gate.utc_text_v1(b.actual_exit), 'amount', b.final_price::text)
        INTO v_earlier
        FROM gate.decisions d
        JOIN gate.tickets t ON t.booking_id = d.stay_id
        JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        WHERE d.facility_id = p_booking.facility_id AND d.plate = p_booking.plate_number
            AND d.decision = 'grant'
            AND d.decided_at <= p_booking.entry_time
            AND d.decided_at >= p_booking.entry_time - greatest(interval '25 hours', make_interval(
                mins => coalesce((v_rule.config ->> 'second_visit_minutes')::integer, 0)))
            AND b.status = 'COMPLETED' AND b.final_price IS NOT NULL
            AND b.actual_exit > b.entry_time AND b.actual_exit <= p_booking.entry_time
            AND b.id <> p_booking.id
        ORDER BY b.actual_exit DESC LIMIT 1;
        IF FOUND THEN
            v_context := v_context || jsonb_build_object('earlier_visit', v_earlier);
        END IF;
    END IF;
    RETURN v_context;
END
$$;
