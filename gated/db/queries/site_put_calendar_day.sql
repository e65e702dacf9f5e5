-- The day $2 is one of kind $3, called $4; whatever it was called before.
INSERT INTO gate.calendar_days (facility_id, day, kind, name) VALUES ($1, $2, $3, $4)
ON CONFLICT (facility_id, day, kind) DO UPDATE SET name = excluded.name
