-- Promises what is due for a booking at p_at, never less than nothing.
CREATE OR REPLACE FUNCTION gate.due_v1(p_booking public.bookings, p_at timestamptz)
RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT greatest(c.amount - gate.paid_v1(p_booking.id), 0)
    FROM gate.charge_booking_v1(p_booking, p_at) c
$$;
