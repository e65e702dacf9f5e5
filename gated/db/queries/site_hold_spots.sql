-- Promises that nobody takes or frees the zone's spots $3 before the transaction ends. Must be a
-- statement of its own: what comes after it sees the claims of those that it waited for.
SELECT s.id FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
WHERE z.facility_id = $1 AND z.code = $2 AND s.spot_number = ANY ($3::text[])
ORDER BY s.id FOR UPDATE OF s
