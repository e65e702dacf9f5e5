-- 'dispatched' to one caller at most; anything else means that it must not be sent.
SELECT gate.dispatch_command_v1($1, $2, $3, $4)
