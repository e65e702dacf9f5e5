-- The stays that the policy of the facility $1 has closed by $2.
SELECT p AS stay FROM gate.phantoms_due_v1($1, $2) p
