-- The facility's spots in service, by zone, in the order in which they are filled.
SELECT z.code AS zone, s.spot_number AS number, s.size::text AS size,
    s.has_ev_charger AS ev_charger, s.is_accessible AS accessible,
    coalesce(d.metres_from, '{}')::text AS metres_from
FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
LEFT JOIN (
    SELECT d.spot_id, jsonb_object_agg(l.slug, d.metres) AS metres_from
    FROM gate.spot_distances d JOIN gate.lanes l ON l.id = d.lane_id
    WHERE l.facility_id = $1 GROUP BY d.spot_id
) d ON d.spot_id = s.id
WHERE z.facility_id = $1 AND s.is_active ORDER BY z.code, s.spot_order, s.spot_number
