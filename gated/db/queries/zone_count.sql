-- Exactly one row, counted from spots and claims. A spot under maintenance is no capacity.
SELECT
    (SELECT count(*) FROM public.parking_spots s
     WHERE s.zone_id = $1 AND s.is_active AND s.status <> 'MAINTENANCE')::integer AS capacity,
    (SELECT count(*) FROM gate.claims c
     WHERE c.zone_id = $1 AND c.kind = 'stay')::integer AS occupied,
    (SELECT count(*) FROM gate.claims c
     WHERE c.zone_id = $1 AND c.kind = 'reservation'
         AND c.during @> pg_catalog.clock_timestamp())::integer AS reserved
