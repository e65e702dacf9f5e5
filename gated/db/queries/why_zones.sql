-- The names of the zones of the facilities $1, those out of service too.
SELECT z.id, z.name FROM public.zones z WHERE z.facility_id = ANY ($1::uuid[])
