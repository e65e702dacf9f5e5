-- The zone's spots among $3 that a vehicle stands on or a reservation holds.
SELECT s.spot_number FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
WHERE z.facility_id = $1 AND z.code = $2 AND s.spot_number = ANY ($3::text[])
    AND (s.status IN ('OCCUPIED', 'RESERVED')
        OR EXISTS (SELECT FROM gate.claims c WHERE c.spot_id = s.id))
ORDER BY s.spot_order
