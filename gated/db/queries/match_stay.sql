-- Exactly one row: what became of the request, by whom it was, and which stay it is.
SELECT outcome, operator, booking, ticket, plate
FROM gate.match_stay_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
