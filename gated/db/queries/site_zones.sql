-- The facility's zones in service.
SELECT z.code AS slug, z.name, coalesce(s.fill_policy, 'lowest') AS fill,
    coalesce((
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('group', l.parker_group,
            'stays_max', l.stays_max, 'days', l.days, 'from', l.begins, 'until', l.ends))
            ORDER BY l.position)
        FROM gate.zone_limits l WHERE l.facility_id = $1 AND l.zone_id = z.id
    ), '[]')::text AS limits
FROM public.zones z LEFT JOIN gate.zone_settings s ON s.zone_id = z.id
WHERE z.facility_id = $1 AND z.is_active ORDER BY z.code
