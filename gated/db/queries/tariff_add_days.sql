-- The facility $1 knows the days $2 by the kinds $3 and the names $4.
INSERT INTO gate.calendar_days (facility_id, day, kind, name)
SELECT $1, day, kind, name FROM unnest($2::date[], $3::text[], $4::text[]) AS given (day, kind, name)
