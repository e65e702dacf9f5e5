-- Promises how many vehicles are in a zone at one instant, as three ways of counting have it: by the
-- zone's counters (with what is not counted yet, without what is kept free or out of service), by the
-- claims of open stays, and by sensors; and how far they may be apart. Changes nothing.
--
-- The zone's own counter is believed for a day. Without one the spot sensors count, if each spot in
-- service has one; they tell of a change alone, so they may be silent for long. sensed is null where
-- neither tells. Vehicles that came in when no spot was left are counted and are stays; one that has
-- no stay at all is sensed alone.
CREATE OR REPLACE FUNCTION gate.zone_drift_v1(p_zone uuid, p_at timestamptz)
RETURNS TABLE (
    counted integer, stays integer, sensed integer, sensed_at timestamptz, allowed integer
)
LANGUAGE sql STABLE AS $$
    SELECT
        (z.total_spots - z.available_spots + coalesce(p.taken, 0) - spot.kept + o.stays)::integer,
        (spot.stays + o.stays)::integer,
        CASE WHEN k.zone_id IS NOT NULL THEN k.occupied
            WHEN spot.told = spot.spots AND spot.spots > 0 THEN spot.seen::integer END,
        CASE WHEN k.zone_id IS NOT NULL THEN k.counted_at
            WHEN spot.told = spot.spots THEN spot.told_at END,
        f.drift_count_max
    FROM public.zones z
    JOIN gate.facility_settings f ON f.facility_id = z.facility_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS spots, count(c.booking_id) AS stays,
            count(*) FILTER (
                WHERE c.booking_id IS NULL AND s.status IN ('RESERVED', 'MAINTENANCE')) AS kept,
            count(t.spot_id) AS told, count(*) FILTER (WHERE t.occupied) AS seen,
            max(t.told_at) AS told_at
        FROM public.parking_spots s
        LEFT JOIN gate.claims c ON c.spot_id = s.id AND c.kind = 'stay'
        LEFT JOIN gate.spot_states t ON t.spot_id = s.id
        WHERE s.zone_id = z.id AND s.is_active
    ) spot
    CROSS JOIN LATERAL (
        SELECT count(*) AS stays FROM gate.claims c
        WHERE c.facility_id = z.facility_id AND c.zone_id = z.id AND c.kind = 'stay'
            AND c.spot_id IS NULL
    ) o
    LEFT JOIN LATERAL (
        SELECT sum(c.total - c.available) AS taken FROM gate.spot_changes c
        WHERE c.facility_id = z.facility_id AND c.zone_id = z.id
    ) p ON true
    LEFT JOIN gate.zone_counts k
        ON k.zone_id = z.id AND k.counted_at > p_at - interval '1 day'
    WHERE z.id = p_zone
$$;
