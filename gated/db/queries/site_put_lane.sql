-- The lane is in service as stated.
INSERT INTO gate.lanes (facility_id, slug, direction, policy, opening)
VALUES ($1, $2, $3, $4::text::jsonb, $5::text::jsonb)
ON CONFLICT ON CONSTRAINT lanes_slug_key DO UPDATE SET
    direction = excluded.direction, policy = excluded.policy,
    opening = excluded.opening, is_active = true
