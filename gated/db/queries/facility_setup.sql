-- One row with the whole set-up of a facility, seen at one instant; none if it is not set up.
SELECT
    s.slug, f.name, s.time_zone, s.currency, s.revision, s.policy,
    s.opening, s.display, s.sign_free_again,
    (
        SELECT coalesce(jsonb_object_agg(to_char(c.day, 'YYYY-MM-DD'), c.kinds), '{}')
        FROM (
            SELECT d.day, jsonb_agg(d.kind ORDER BY d.kind) AS kinds
            FROM gate.calendar_days d WHERE d.facility_id = f.id GROUP BY d.day
        ) c
    ) AS calendar,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', z.id, 'code', z.code, 'name', z.name,
            'capacity', (SELECT count(*) FROM public.parking_spots p
                         WHERE p.zone_id = z.id AND p.is_active)
        ) ORDER BY z.code), '[]')
        FROM public.zones z WHERE z.facility_id = f.id AND z.is_active
    ) AS zones,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', l.id, 'slug', l.slug, 'direction', l.direction, 'policy', l.policy,
            'opening', l.opening, 'from', l.from_zone_id,
            'zones', (SELECT coalesce(jsonb_agg(lz.zone_id ORDER BY lz.position), '[]')
                      FROM gate.lane_zones lz WHERE lz.lane_id = l.id)
        ) ORDER BY l.slug), '[]')
        FROM gate.lanes l WHERE l.facility_id = f.id AND l.is_active
    ) AS lanes,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', d.id, 'slug', d.slug, 'lane', l.id, 'lane_slug', l.slug,
            'direction', l.direction, 'family', d.family, 'topic', d.topic, 'options', d.options
        ) ORDER BY d.slug), '[]')
        FROM gate.devices d JOIN gate.lanes l ON l.id = d.lane_id
        WHERE d.facility_id = f.id AND d.is_active AND l.is_active
    ) AS devices
FROM public.facilities f JOIN gate.facility_settings s ON s.facility_id = f.id
WHERE f.id = $1
