-- The facility of the slug $1, its zone of the code $2 and that zone's spot of the number $3, as far
-- as they are given and exist; no row for an unknown facility.
SELECT f.facility_id AS facility, f.time_zone, f.currency, z.id AS zone, s.id AS spot
FROM gate.facility_settings f
LEFT JOIN public.zones z ON z.facility_id = f.facility_id AND z.code = $2::text
LEFT JOIN public.parking_spots s ON s.zone_id = z.id AND s.spot_number = $3::text
WHERE f.slug = $1
