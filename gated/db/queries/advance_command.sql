-- Where the command stands after the step, or after the step back that was ignored.
SELECT gate.advance_command_v1($1, $2, $3, $4, $5, $6)
