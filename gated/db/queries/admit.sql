-- Exactly one row: the outcome, and the stay that stands where it is 'admitted'.
SELECT outcome, available, stay, spot, spot_number, ticket
FROM gate.admit_v1(
    p_facility => $1, p_fence => $2, p_event => $3, p_lane => $4, p_zone => $5, p_stay => $6,
    p_plate => $7, p_plate_raw => $8, p_confidence => $9, p_at => $10, p_reason => $11,
    p_vehicle => $12, p_user => $13, p_command => $14, p_device => $15, p_do => $16,
    p_command_reason => $17, p_issued_at => $18, p_expires_at => $19,
    p_taken => $20, p_entitlement => $21, p_booking => $22, p_subscription => $23,
    p_text => $24, p_facts => $25::text::jsonb, p_vacated => $26, p_again => $27)
