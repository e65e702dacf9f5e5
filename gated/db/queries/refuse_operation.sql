-- Whether the refusal is recorded by this very call.
SELECT gate.refuse_operation_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)
