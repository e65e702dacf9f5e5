-- Promises the sum of what was paid for a booking and not given back.
CREATE OR REPLACE FUNCTION gate.paid_v1(p_booking uuid) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(p.amount - p.refunded), 0)
    FROM public.payments p
    WHERE p.booking_id = p_booking AND p.status IN ('COMPLETED', 'REFUNDED')
$$;
