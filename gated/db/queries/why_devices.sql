-- The devices of the facilities $1, those out of service too: for reading what they sent.
SELECT d.id, d.slug, s.slug AS facility, d.lane_id AS lane, l.slug AS lane_slug, l.direction,
    d.family, d.topic, d.options::text AS options
FROM gate.devices d
JOIN gate.lanes l ON l.id = d.lane_id
JOIN gate.facility_settings s ON s.facility_id = d.facility_id
WHERE d.facility_id = ANY ($1::uuid[])
