-- The commands that this call ended because their time is over.
SELECT command, lane, status FROM gate.expire_commands_v1($1, $2, $3)
