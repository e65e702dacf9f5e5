-- What was paid for the bookings $1, under way and failed too.
SELECT p.id, p.booking_id AS booking, p.amount, p.refunded, p.currency, p.provider::text AS provider,
    p.status::text AS status, p.provider_txn_id AS txn, p.created_at AS at
FROM public.payments p
WHERE p.booking_id = ANY ($1::uuid[])
ORDER BY p.created_at, p.id
