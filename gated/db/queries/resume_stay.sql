-- The zone that the stay is in again; null if there was nothing to undo.
SELECT gate.resume_stay_v1($1, $2, $3, $4, $5, $6, $7)
