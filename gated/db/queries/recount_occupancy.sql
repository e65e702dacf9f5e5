-- Per zone: what its counter says is free, and what its spots, claims and open stays say.
SELECT s.slug AS facility,
       z.code AS zone,
       z.available_spots AS counted,
       (SELECT count(*) FROM public.parking_spots p
        WHERE p.zone_id = z.id AND p.is_active AND p.status = 'AVAILABLE') AS free,
       (SELECT count(*) FROM public.parking_spots p WHERE p.zone_id = z.id AND p.is_active)
         - (SELECT count(*) FROM gate.claims c
          WHERE c.facility_id = z.facility_id AND c.zone_id = z.id AND c.spot_id IS NOT NULL) AS unclaimed,
       (SELECT count(*) FROM public.parking_spots p WHERE p.zone_id = z.id AND p.is_active)
         - (SELECT count(*) FROM public.bookings b
            JOIN public.parking_spots p ON p.id = b.spot_id
            WHERE p.zone_id = z.id AND b.status = 'ACTIVE') AS unoccupied
FROM public.zones z
JOIN gate.facility_settings s ON s.facility_id = z.facility_id
ORDER BY s.slug, z.code
