-- The zone's spots that can still be given out.
SELECT gate.zone_available_v1($1)
