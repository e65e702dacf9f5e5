-- The facility's spots in service, by zone, in the order in which they are filled.
SELECT z.code AS zone, s.spot_number AS number, s.size::text AS size,
    s.has_ev_charger AS ev_charger, s.is_accessible AS accessible
FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
WHERE z.facility_id = $1 AND s.is_active ORDER BY z.code, s.spot_order, s.spot_number
