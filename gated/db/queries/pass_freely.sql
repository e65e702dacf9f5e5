-- Exactly one row: what became of the vehicle, its stay, and what an ended one owes.
SELECT outcome, stay, due, currency
FROM gate.ungranted_passage_v1(
    p_facility => $1, p_fence => $2, p_passage => $3, p_lane => $4, p_direction => $5,
    p_kind => $6, p_plate => $7, p_plate_raw => $8, p_confidence => $9, p_stay => $10,
    p_after => $11, p_at => $12, p_user => $13, p_reason => $14,
    p_known => $15)
