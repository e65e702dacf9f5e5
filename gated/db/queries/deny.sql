-- Whether the denial is recorded by this very call.
SELECT gate.deny_v1(
    p_facility => $1, p_fence => $2, p_event => $3, p_lane => $4, p_reason => $5, p_plate => $6,
    p_plate_raw => $7, p_confidence => $8, p_at => $9, p_command => $10, p_device => $11,
    p_do => $12, p_command_reason => $13, p_issued_at => $14, p_expires_at => $15,
    p_taken => $16,
    p_text => $17, p_facts => $18::text::jsonb, p_again => $19)
