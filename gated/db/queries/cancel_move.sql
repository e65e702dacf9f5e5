-- The available spots of the zone that the stay is in again; null if there was nothing to undo.
SELECT gate.cancel_move_v1($1, $2, $3, $4, $5, $6, $7)
