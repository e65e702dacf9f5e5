-- Exactly one row: what became of the request, by whom it was, the lane's mode now, the plate of a
-- stay that was named.
SELECT outcome, operator, mode, plate
FROM gate.operate_v1(
    p_facility => $1, p_fence => $2, p_event => $3, p_lane => $4, p_name => $5, p_do => $6,
    p_reason => $7, p_at => $8, p_command => $9, p_device => $10, p_command_do => $11,
    p_command_reason => $12, p_issued_at => $13, p_expires_at => $14, p_taken => $15,
    p_text => $16, p_stay => $17, p_ticket => $18, p_read => $19)
