-- What became of the word of a spot's sensor.
SELECT gate.note_spot_v1(
    p_facility => $1, p_fence => $2, p_event => $3, p_zone => $4, p_number => $5,
    p_occupied => $6, p_plate => $7, p_at => $8, p_heard_at => $9)
