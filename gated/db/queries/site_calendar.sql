-- The facility's days that are not like others.
SELECT c.day, c.kind, c.name FROM gate.calendar_days c WHERE c.facility_id = $1 ORDER BY c.day, c.kind
