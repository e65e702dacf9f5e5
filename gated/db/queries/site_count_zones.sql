-- The zones $2 state how many spots are in service, and by $3 more or fewer that can be given out.
UPDATE public.zones z SET
    total_spots = (
        SELECT count(*) FROM public.parking_spots s WHERE s.zone_id = z.id AND s.is_active
    ),
    available_spots = greatest(z.available_spots + w.change, 0)
FROM unnest($2::text[], $3::integer[]) AS w (code, change)
WHERE z.facility_id = $1 AND z.code = w.code
