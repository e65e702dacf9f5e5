-- The facility states the sum of its zones, and $2 more or fewer spots that can be given out.
UPDATE public.facilities f SET
    total_spots = (
        SELECT coalesce(sum(z.total_spots), 0) FROM public.zones z WHERE z.facility_id = f.id
    ),
    available_spots = greatest(f.available_spots + $2::integer, 0)
WHERE f.id = $1
