-- Exactly one row: the outcome, and the frozen price where it is 'released'.
SELECT outcome, zone, available, spot_number, price, currency, due
FROM gate.release_v1(
    p_facility => $1, p_fence => $2, p_event => $3, p_lane => $4, p_stay => $5, p_plate => $6,
    p_plate_raw => $7, p_confidence => $8, p_at => $9, p_reason => $10, p_command => $11,
    p_device => $12, p_do => $13, p_command_reason => $14, p_issued_at => $15,
    p_expires_at => $16,
    p_taken => $17, p_match => $18::text::jsonb,
    p_text => $19, p_facts => $20::text::jsonb)
