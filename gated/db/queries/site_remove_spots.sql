-- The zone's spots $3 are out of service and far from nothing; the counters follow by a trigger.
WITH removed AS (
    UPDATE public.parking_spots s SET is_active = false FROM public.zones z
    WHERE z.id = s.zone_id AND z.facility_id = $1 AND z.code = $2
        AND s.spot_number = ANY ($3::text[]) AND s.is_active
    RETURNING s.id
)
DELETE FROM gate.spot_distances d USING removed r WHERE d.spot_id = r.id
