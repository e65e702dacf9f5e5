-- The outcome.
SELECT gate.lose_ticket_v1($1, $2, $3, $4, $5)
