-- The device is in service as stated.
INSERT INTO gate.devices (facility_id, lane_id, slug, family, topic, options)
SELECT $1, l.id, $2, $4, $5, $6::text::jsonb
FROM gate.lanes l WHERE l.facility_id = $1 AND l.slug = $3
ON CONFLICT ON CONSTRAINT devices_slug_key DO UPDATE SET
    lane_id = excluded.lane_id, family = excluded.family, topic = excluded.topic,
    options = excluded.options, is_active = true
