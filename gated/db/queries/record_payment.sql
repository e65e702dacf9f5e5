-- Exactly one row: the outcome, and where the booking stands.
SELECT outcome, counted, booking, ticket, paid, due, currency, grace_until
FROM gate.record_payment_v1(
    p_payment => $1, p_facility => $2, p_ticket => $3, p_plate => $4, p_amount => $5,
    p_currency => $6, p_provider => $7, p_txn => $8, p_at => $9, p_correlation => $10,
    p_user => $11, p_actor => $12, p_staff => $13)
