-- Exactly one row: what became of the request, by whom it was, and the facility's mode now.
SELECT outcome, operator, mode, changed
FROM gate.set_facility_mode_v1($1, $2, $3, $4, $5, $6, $7)
