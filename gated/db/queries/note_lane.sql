-- Keeps a note of a lane.
SELECT gate.note_lane_v1($1, $2, $3, $4, $5, $6, $7, $8)
