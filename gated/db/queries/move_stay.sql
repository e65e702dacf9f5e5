-- Exactly one row: the outcome, and where the stay is now where it is 'moved'.
SELECT outcome, zone, available, spot, spot_number
FROM gate.move_stay_v1(
    p_facility => $1, p_fence => $2, p_event => $3, p_lane => $4, p_stay => $5, p_zone => $6,
    p_anyway => $7, p_plate => $8, p_plate_raw => $9, p_confidence => $10, p_at => $11,
    p_reason => $12, p_command => $13, p_device => $14, p_do => $15, p_command_reason => $16,
    p_issued_at => $17, p_expires_at => $18, p_taken => $19, p_match => $20::text::jsonb,
    p_text => $21, p_facts => $22::text::jsonb, p_again => $23)
