-- Exactly one row: what became of the payment.
SELECT outcome, ticket, due, currency, grace_until
FROM gate.take_payment_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
