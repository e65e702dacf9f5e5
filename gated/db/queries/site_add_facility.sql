-- Stores a new facility of the slug $1 with its settings; answers its id.
WITH added AS (
    INSERT INTO public.facilities (name, city, latitude, longitude) VALUES ($2, $3, $5, $6)
    RETURNING id
)
INSERT INTO gate.facility_settings (facility_id, slug, time_zone, policy, currency)
SELECT added.id, $1, $4, $7::text::jsonb, $8 FROM added
RETURNING facility_id
