-- Promises the booking of a payment that was told before, by this id or by this transaction of the
-- provider: one row, null where it went to none; no row for a payment that is new, or that somebody
-- wrote down for no booking as under way or failed.
CREATE OR REPLACE FUNCTION gate.told_payment_v1(p_payment uuid, p_provider text, p_txn text)
RETURNS SETOF uuid
LANGUAGE sql STABLE AS $$
    SELECT p.booking_id FROM public.payments p
    WHERE (p.id = p_payment
            OR (p.provider::text, p.provider_txn_id) = (p_provider, p_txn))
        AND (p.booking_id IS NOT NULL OR p.status NOT IN ('PENDING', 'FAILED'))
    LIMIT 1
$$;
