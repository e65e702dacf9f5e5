-- Promises that a stay is priced as one whose ticket was lost, and an audit row.
--
-- Outcomes: 'lost', also the second time; with nothing written 'booking_unknown', 'booking_ended'.
-- Where the tariff has no price for a lost ticket, the stay costs what it costs.
CREATE OR REPLACE FUNCTION gate.lose_ticket_v1(
    p_facility uuid,
    p_booking uuid,
    p_at timestamptz,
    p_actor text DEFAULT 'web',
    p_staff uuid DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
BEGIN
    v_booking := gate.lock_booking_v1(p_facility, p_booking);
    IF v_booking.id IS NULL THEN
        RETURN 'booking_unknown';
    ELSIF v_booking.status <> 'ACTIVE' THEN
        RETURN 'booking_ended';
    ELSIF (v_booking.price_context ->> 'lost_ticket')::boolean THEN
        RETURN 'lost';
    END IF;
    UPDATE public.bookings b SET price_context = b.price_context || '{"lost_ticket": true}'
    WHERE b.id = p_booking AND b.entry_time = v_booking.entry_time;
    PERFORM gate.record_audit_v1(
        p_facility, 'stay.ticket_lost', 'booking', p_booking, p_at, p_booking, '{}', p_actor, p_staff);
    RETURN 'lost';
END
$$;
