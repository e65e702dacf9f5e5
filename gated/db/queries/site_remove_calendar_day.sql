-- The day $2 is no longer one of kind $3.
DELETE FROM gate.calendar_days WHERE facility_id = $1 AND day = $2 AND kind = $3
