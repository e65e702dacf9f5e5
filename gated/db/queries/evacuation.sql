-- Exactly one row: when the last evacuation of the facility $1 before $2 began and ended, if any.
SELECT since, until FROM gate.evacuation_v1($1, $2)
