-- The outcome.
SELECT gate.reset_passback_v1($1, $2, $3, $4, $5)
