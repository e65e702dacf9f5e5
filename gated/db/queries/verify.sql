-- What says two things, of the facility $1 or of all.
SELECT v.kind, s.slug AS facility, v.facility AS facility_id, v.subject, v.field, v.stated, v.counted
FROM gate.verify_v1($1) v LEFT JOIN gate.facility_settings s ON s.facility_id = v.facility
ORDER BY s.slug, v.kind, v.field, v.subject
