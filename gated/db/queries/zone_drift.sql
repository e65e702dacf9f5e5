-- Exactly one row: the vehicles of the zone $1 at $2, as three ways of counting have it.
SELECT counted, stays, sensed, allowed FROM gate.zone_drift_v1($1, $2)
