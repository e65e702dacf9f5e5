-- The facility admits at these hours (null: always), and its displays say this.
UPDATE gate.facility_settings SET opening = $2::text::jsonb, display = $3::text::jsonb
WHERE facility_id = $1
