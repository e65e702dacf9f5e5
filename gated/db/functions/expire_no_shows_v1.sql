-- Promises that no spot is kept any longer for a vehicle that did not come in time: its booking is
-- a no-show, the spot free, the change audited. Answers the bookings.
--
-- A booking or a spot that somebody else works on just now is left for the next call: with one spot
-- in hand nobody may wait for another.
CREATE OR REPLACE FUNCTION gate.expire_no_shows_v1(
    p_facility uuid, p_at timestamptz, p_actor text DEFAULT 'gated'
) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_late integer;
    v_booking record;
BEGIN
    SELECT s.late_minutes_max INTO v_late
    FROM gate.facility_settings s WHERE s.facility_id = p_facility;
    FOR v_booking IN
        SELECT b.id, b.entry_time, b.spot_id
        FROM gate.claims c
        -- One by one, each in its own month; a plain join may read all months instead.
        CROSS JOIN LATERAL (
            SELECT b.id, b.entry_time, b.spot_id
            FROM public.bookings b JOIN public.parking_spots s ON s.id = b.spot_id
            WHERE b.id = c.booking_id AND b.entry_time = c.entry_time AND b.status = 'CONFIRMED'
                -- As at the entrance: one that came in time and backed out has the time again.
                AND gate.booking_kept_until_v1(b.entry_time, b.expected_exit, v_late) <= p_at
            FOR NO KEY UPDATE OF b, s SKIP LOCKED
        ) b
        WHERE c.facility_id = p_facility AND c.kind = 'reservation' AND c.entry_time <= p_at
        ORDER BY c.entry_time, c.booking_id
    LOOP
        UPDATE public.bookings b SET status = 'NO_SHOW'
        WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time;
        PERFORM gate.record_audit_v1(
            p_facility, 'booking.no_show', 'booking', v_booking.id, p_at, v_booking.id,
            jsonb_build_object('spot', v_booking.spot_id), p_actor);
        RETURN NEXT v_booking.id;
    END LOOP;
END
$$;
