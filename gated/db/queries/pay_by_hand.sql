-- Exactly one row: what became of the request, what was paid, and what is due still.
SELECT outcome, operator, ticket, amount, due, currency
FROM gate.pay_by_hand_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
