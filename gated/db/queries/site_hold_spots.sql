-- Promises that nobody takes or frees the spots of the zones $2 and the numbers $3, which go in
-- pairs, before the transaction ends. Must be a statement of its own: what comes after it sees the
-- claims of those that it waited for.
SELECT s.id
FROM unnest($2::text[], $3::text[]) AS w (code, number)
JOIN public.zones z ON z.facility_id = $1 AND z.code = w.code
JOIN public.parking_spots s ON s.zone_id = z.id AND s.spot_number = w.number
ORDER BY s.id FOR UPDATE OF s
