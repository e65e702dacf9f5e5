-- The grants of the facility $1 since $2 whose passage has no end.
SELECT lane_id, stay_id, zone_id, plate, command_id, event_id, decided_at
FROM gate.pending_passages_v1($1, $2)
