-- The lane is in service as stated; $6 is the zone that its vehicles come from.
INSERT INTO gate.lanes (facility_id, slug, direction, policy, opening, from_zone_id)
VALUES (
    $1, $2, $3, $4::text::jsonb, $5::text::jsonb,
    (SELECT z.id FROM public.zones z WHERE z.facility_id = $1 AND z.code = $6)
)
ON CONFLICT ON CONSTRAINT lanes_slug_key DO UPDATE SET
    direction = excluded.direction, policy = excluded.policy,
    opening = excluded.opening, is_active = true, from_zone_id = excluded.from_zone_id
