-- The spots listed in $3 are in service in their zone; the counters follow by a trigger. A spot
-- that was in service keeps its status.
INSERT INTO public.parking_spots (zone_id, spot_number, size, has_ev_charger, is_accessible)
SELECT z.id, w.number, w.size, w.ev_charger, w.accessible
FROM jsonb_to_recordset($3::text::jsonb)
    AS w (number text, size public.spot_size, ev_charger boolean, accessible boolean)
JOIN public.zones z ON z.facility_id = $1 AND z.code = $2
ON CONFLICT ON CONSTRAINT parking_spots_number_key DO UPDATE SET
    size = excluded.size, has_ev_charger = excluded.has_ev_charger,
    is_accessible = excluded.is_accessible, is_active = true
