-- The set-up's revision; GT001 when the lease was lost.
SELECT gate.renew_lease_v1($1, $2, $3, $4)
