-- The zone's available spots after the admission is undone; null if there was nothing to undo.
SELECT gate.cancel_admission_v1($1, $2, $3, $4, $5, $6, $7)
