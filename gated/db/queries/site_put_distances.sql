-- The zone's spots listed in $3 are exactly so far from lanes as stated.
WITH listed AS MATERIALIZED (
    SELECT s.id AS spot_id, w.metres_from
    FROM jsonb_to_recordset($3::text::jsonb) AS w (number text, metres_from jsonb)
    JOIN public.zones z ON z.facility_id = $1 AND z.code = $2
    JOIN public.parking_spots s ON s.zone_id = z.id AND s.spot_number = w.number
), gone AS (
    DELETE FROM gate.spot_distances d USING listed w, gate.lanes l
    WHERE d.spot_id = w.spot_id AND l.id = d.lane_id AND NOT (w.metres_from ? l.slug)
)
INSERT INTO gate.spot_distances (lane_id, spot_id, metres)
SELECT l.id, w.spot_id, d.value::numeric
FROM listed w CROSS JOIN LATERAL jsonb_each_text(w.metres_from) AS d
JOIN gate.lanes l ON l.facility_id = $1 AND l.slug = d.key
ON CONFLICT (lane_id, spot_id) DO UPDATE SET metres = excluded.metres
