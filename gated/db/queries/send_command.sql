-- A command beside a decision, once by its id.
SELECT gate.send_command_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
