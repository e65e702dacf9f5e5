-- The zone's spots $3 are out of service; answers how many of them could have been given out.
WITH removed AS (
    UPDATE public.parking_spots s SET is_active = false FROM public.zones z
    WHERE z.id = s.zone_id AND z.facility_id = $1 AND z.code = $2
        AND s.spot_number = ANY ($3::text[]) AND s.is_active
    RETURNING s.status
)
SELECT count(*) FROM removed WHERE removed.status = 'AVAILABLE'
