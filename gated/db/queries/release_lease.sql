-- Gives the lease up if it is still the caller's.
SELECT gate.release_lease_v1($1, $2, $3)
