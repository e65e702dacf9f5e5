-- What said two things, of the facility $1, and whether it is mended now.
SELECT r.kind, r.field, r.subject, r.stated, r.counted, r.mended
FROM gate.repair_v1($1, clock_timestamp(), $2) r ORDER BY r.kind, r.field, r.subject
