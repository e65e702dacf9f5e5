-- The penalty.
SELECT gate.open_violation_v1($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10, $11, $12)
