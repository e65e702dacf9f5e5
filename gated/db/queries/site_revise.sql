-- The set-up is a newer one: running daemons load it at their next renewal. Answers its number.
UPDATE gate.facility_settings SET revision = revision + 1 WHERE facility_id = $1
RETURNING revision
