-- The facility's lanes in service, each with its zones in filling order.
SELECT l.slug, l.direction, l.policy::text AS policy, l.opening::text AS opening,
    (SELECT z.code FROM public.zones z WHERE z.id = l.from_zone_id) AS from_zone, ARRAY(
    SELECT z.code FROM gate.lane_zones lz JOIN public.zones z ON z.id = lz.zone_id
    WHERE lz.lane_id = l.id ORDER BY lz.position
) AS zones
FROM gate.lanes l WHERE l.facility_id = $1 AND l.is_active ORDER BY l.slug
