-- Per zone: what its counter says is free, and what its spots, claims and open stays say. A spot that is
-- marked for a reservation is not free, and has no stay.
SELECT s.slug AS facility,
       z.code AS zone,
       z.available_spots AS counted,
       p.free,
       p.spots - p.reserved
         - (SELECT count(*) FROM gate.claims c
            WHERE c.facility_id = z.facility_id AND c.zone_id = z.id AND c.kind = 'stay'
                AND c.spot_id IS NOT NULL) AS unclaimed,
       p.spots - p.reserved
         - (SELECT count(*) FROM public.bookings b
            JOIN public.parking_spots o ON o.id = b.spot_id
            WHERE o.zone_id = z.id AND b.status = 'ACTIVE') AS unoccupied
FROM public.zones z
JOIN gate.facility_settings s ON s.facility_id = z.facility_id
CROSS JOIN LATERAL (
    SELECT count(*) AS spots,
           count(*) FILTER (WHERE a.status = 'AVAILABLE') AS free,
           count(*) FILTER (WHERE a.status = 'RESERVED') AS reserved
    FROM public.parking_spots a WHERE a.zone_id = z.id AND a.is_active
) p
ORDER BY s.slug, z.code
