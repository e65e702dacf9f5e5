-- The zone's counter of spots that can still be given out.
SELECT z.available_spots FROM public.zones z WHERE z.id = $1
