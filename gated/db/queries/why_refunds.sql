-- What was given back of the payments $1.
SELECT r.id, r.payment_id AS payment, r.amount, r.reason, r.provider_txn_id AS txn,
    r.refunded_at AS at
FROM gate.refunds r
WHERE r.payment_id = ANY ($1::uuid[])
ORDER BY r.refunded_at, r.id
