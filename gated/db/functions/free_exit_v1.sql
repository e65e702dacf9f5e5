-- Promises that a vehicle which left without a grant has left: its stay priced and ended, what is due
-- of it a debt. A part of gate.ungranted_passage_v1.
--
-- * In an evacuation it costs nothing, and its last line says so.
-- * One whose exit was granted in the last 15 minutes and that was not seen passing is this one; it
--   keeps its price.
-- * One whose last stay here was closed, because it seemed to be gone, is this one: priced up to now.
-- * No plate, or one with no stay here: 'nobody_known', and a reconciliation 'exit_unmatched'.
-- * A price that cannot be told: the stay ends all the same, with a reconciliation 'price_unknown'.
CREATE OR REPLACE FUNCTION gate.free_exit_v1(
    p_facility uuid,
    p_passage uuid,
    p_lane uuid,
    p_kind text,
    p_plate text,
    p_after uuid,
    p_at timestamptz,
    p_known text,
    OUT outcome text,
    OUT stay uuid,
    OUT zone uuid,
    OUT spot uuid,
    OUT due numeric,
    OUT currency char(3),
    OUT price numeric
)
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_ended record;
    v_closed boolean;
BEGIN
    SELECT c.booking_id INTO stay FROM gate.claims c
    WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';
    IF NOT FOUND THEN
        SELECT d.stay_id INTO stay
        FROM gate.decisions d
        JOIN gate.tickets t ON t.booking_id = d.stay_id
        JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        WHERE d.facility_id = p_facility AND d.plate = p_plate AND d.decision = 'grant'
            AND d.decided_at > p_at - interval '15 minutes'
            AND d.decided_at < p_at + interval '15 minutes'
            AND b.status = 'COMPLETED' AND b.exit_known IS NULL
        ORDER BY d.decided_at DESC LIMIT 1;
    END IF;
    IF stay IS NULL THEN
        SELECT b.id INTO stay
        FROM (
            SELECT b.id, b.closed_reason FROM public.bookings b
            WHERE b.facility_id = p_facility AND b.plate_number = p_plate
                AND b.status = 'COMPLETED'
                AND b.entry_time > p_at - interval '1 year' AND b.entry_time <= p_at
            ORDER BY b.entry_time DESC LIMIT 1
        ) b
        WHERE b.closed_reason IS NOT NULL;
    END IF;
    IF stay IS NOT NULL THEN
        v_booking := gate.lock_booking_v1(p_facility, stay);
    END IF;
    v_closed := v_booking.status = 'COMPLETED' AND v_booking.closed_reason IS NOT NULL;
    IF v_booking.status = 'ACTIVE' OR v_closed THEN
        SELECT e.* INTO v_ended
        FROM gate.end_stay_v1(v_booking, p_at, p_lane, p_known,
            CASE WHEN p_kind = 'evacuation' THEN 'evacuation' END) e;
        price := v_ended.price;
        due := v_ended.due;
        currency := v_ended.currency;
        IF v_closed THEN
            UPDATE gate.reconciliations r SET
                resolved_at = greatest(p_at, r.created_at), resolution = 'it left'
            WHERE r.facility_id = p_facility AND r.kind = 'stay_closed' AND r.resolved_at IS NULL
                AND r.details ->> 'stay' = stay::text;
        END IF;
        IF v_ended.fault IS NOT NULL THEN
            INSERT INTO gate.reconciliations (facility_id, kind, details, created_at)
            VALUES (p_facility, 'price_unknown', jsonb_build_object(
                'passage', p_passage, 'lane', p_lane, 'passed', p_kind, 'plate', p_plate,
                'stay', stay, 'error', v_ended.fault, 'at', gate.utc_text_v1(p_at)), p_at);
        END IF;
    ELSIF v_booking.status = 'COMPLETED' AND v_booking.exit_known IS NULL THEN
        UPDATE public.bookings b SET exit_lane_id = p_lane, exit_known = p_known
        WHERE b.id = stay AND b.entry_time = v_booking.entry_time;
        price := v_booking.final_price;
        due := gate.due_v1(v_booking, p_at);
        currency := v_booking.currency;
    ELSE
        stay := NULL;
        outcome := 'nobody_known';
        INSERT INTO gate.reconciliations (facility_id, kind, details, created_at)
        VALUES (p_facility, 'exit_unmatched', jsonb_strip_nulls(jsonb_build_object(
            'passage', p_passage, 'lane', p_lane, 'passed', p_kind, 'plate', p_plate,
            'after', p_after, 'at', gate.utc_text_v1(p_at))), p_at);
        RETURN;
    END IF;
    outcome := 'stay_ended';
    spot := v_booking.spot_id;
    zone := coalesce(
        (SELECT s.zone_id FROM public.parking_spots s WHERE s.id = spot), v_booking.zone_id);
    IF p_kind <> 'evacuation' AND (v_booking.status = 'ACTIVE' OR v_closed) THEN
        PERFORM gate.open_overstay_v1(v_booking, p_passage, p_lane, p_at);
    END IF;
END
$$;
