-- The spots listed in $3 are in service in their zone; answers how many can be given out by it.
-- A spot that was in service keeps its status.
WITH wanted AS (
    SELECT z.id AS zone_id, w.*
    FROM jsonb_to_recordset($3::text::jsonb)
        AS w (number text, size public.spot_size, ev_charger boolean, accessible boolean)
    JOIN public.zones z ON z.facility_id = $1 AND z.code = $2
), served AS (
    SELECT s.id FROM public.parking_spots s
    WHERE s.is_active AND s.zone_id = (SELECT w.zone_id FROM wanted w LIMIT 1)
), put AS (
    INSERT INTO public.parking_spots AS s
        (zone_id, spot_number, size, has_ev_charger, is_accessible)
    SELECT w.zone_id, w.number, w.size, w.ev_charger, w.accessible FROM wanted w
    ON CONFLICT ON CONSTRAINT parking_spots_number_key DO UPDATE SET
        size = excluded.size, has_ev_charger = excluded.has_ev_charger,
        is_accessible = excluded.is_accessible, is_active = true
    RETURNING s.id, s.status
)
SELECT count(*) FROM put
WHERE put.status = 'AVAILABLE' AND put.id NOT IN (SELECT served.id FROM served)
