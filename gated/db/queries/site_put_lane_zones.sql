-- The lane fills exactly the zones $3, in this order.
WITH wanted AS (
    SELECT l.id AS lane_id, z.id AS zone_id, w.position
    FROM unnest($3::text[]) WITH ORDINALITY AS w (code, position)
    JOIN public.zones z ON z.facility_id = $1 AND z.code = w.code
    JOIN gate.lanes l ON l.facility_id = $1 AND l.slug = $2
), gone AS (
    DELETE FROM gate.lane_zones lz USING gate.lanes l
    WHERE l.facility_id = $1 AND l.slug = $2 AND lz.lane_id = l.id
        AND lz.zone_id NOT IN (SELECT w.zone_id FROM wanted w)
)
INSERT INTO gate.lane_zones (lane_id, zone_id, position)
SELECT w.lane_id, w.zone_id, w.position FROM wanted w
ON CONFLICT (lane_id, zone_id) DO UPDATE SET position = excluded.position
