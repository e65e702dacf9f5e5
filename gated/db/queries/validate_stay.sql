-- The outcome.
SELECT gate.validate_stay_v1($1, $2, $3, $4, $5, $6)
