-- Changes the facility $1 and its settings; slug and currency stay what they are.
WITH changed AS (
    UPDATE public.facilities SET name = $2, city = $3, latitude = $5, longitude = $6 WHERE id = $1
)
UPDATE gate.facility_settings SET time_zone = $4, policy = $7::text::jsonb WHERE facility_id = $1
