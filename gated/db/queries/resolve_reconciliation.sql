-- The outcome.
SELECT gate.resolve_reconciliation_v1($1, $2, $3, $4, $5, $6)
