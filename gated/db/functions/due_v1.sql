-- Promises what is due for a booking at p_at, never less than nothing: of a stay that lasts its
-- price by then, of one that has ended its frozen price, of a reservation what was estimated.
CREATE OR REPLACE FUNCTION gate.due_v1(p_booking public.bookings, p_at timestamptz)
RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_booking.status = 'ACTIVE' THEN
        RETURN (
            SELECT c.due
            FROM gate.charge_stay_v1(
                p_booking.facility_id, p_booking.id, p_booking.entry_time,
                greatest(p_at, p_booking.entry_time)) c);
    END IF;
    RETURN greatest(
        coalesce(p_booking.final_price, p_booking.estimated_price, 0) - gate.paid_v1(p_booking.id),
        0);
END
$$;
