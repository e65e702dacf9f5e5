-- A facility for the desk, of the slug $1, name $2, time zone $3 and currency $4, which takes strangers
-- for a vehicle of type $5; answers its id.
WITH added AS (
    INSERT INTO public.facilities (name, city) VALUES ($2, '-') RETURNING id
)
INSERT INTO gate.facility_settings
    (facility_id, slug, time_zone, currency, vehicle_type_default)
SELECT added.id, $1, $3, $4, $5::text::public.vehicle_type FROM added
RETURNING facility_id
