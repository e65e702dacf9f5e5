-- Marks messages done with their outcomes; done ones stay as they are.
SELECT gate.settle_events_v1($1, $2, $3, $4)
