-- Exactly one row, counted from spots and claims. A spot under maintenance is no capacity; one
-- that a vehicle may come for now is reserved, whether it is marked yet or not. `rooms` is what the
-- limits of the zone and of its facility leave to groups; null: they leave everything.
SELECT
    (SELECT count(*) FROM public.parking_spots s
     WHERE s.zone_id = z.id AND s.is_active AND s.status <> 'MAINTENANCE')::integer AS capacity,
    (SELECT count(*) FROM gate.claims c
     WHERE c.facility_id = z.facility_id AND c.zone_id = z.id AND c.kind = 'stay')::integer
        AS occupied,
    (SELECT count(*) FROM public.parking_spots s
     WHERE s.zone_id = z.id AND s.is_active AND s.status = 'RESERVED')::integer
    + (SELECT count(*) FROM gate.claims c JOIN public.parking_spots s ON s.id = c.spot_id
       WHERE c.facility_id = z.facility_id AND c.zone_id = z.id AND c.kind = 'reservation'
           AND c.during @> pg_catalog.clock_timestamp()
           AND s.is_active AND s.status = 'AVAILABLE')::integer AS reserved,
    (SELECT jsonb_agg(jsonb_build_object(
        'facility', r.zone_id IS NULL, 'group', r.parker_group, 'room', r.room,
        'of', r.stays_max))
     FROM gate.group_rooms_v1(z.facility_id, z.id, pg_catalog.clock_timestamp()) r) AS rooms
FROM public.zones z WHERE z.id = $1
