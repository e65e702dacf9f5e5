-- The decisions at the facilities $1 about plates (facility, plate and period: $2 to $5, of each the
-- $12 newest), about stays ($6 to $8) and about events ($9 to $11). Each key names its period, and
-- is looked up by itself: only the months of its period are read.
WITH chosen AS (
    SELECT d.*
    FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
        AS k (facility, plate, since, until)
    CROSS JOIN LATERAL (
        SELECT * FROM gate.decisions d
        WHERE d.facility_id = k.facility AND d.plate = k.plate
            AND d.decided_at >= k.since AND d.decided_at < k.until
        ORDER BY d.decided_at DESC
        LIMIT $12
    ) d
    UNION
    SELECT d.*
    FROM unnest($6::uuid[], $7::timestamptz[], $8::timestamptz[]) AS k (stay, since, until)
    CROSS JOIN LATERAL (
        SELECT * FROM gate.decisions d
        WHERE d.stay_id = k.stay AND d.decided_at >= k.since AND d.decided_at < k.until
        LIMIT $12
    ) d
    UNION
    SELECT d.*
    FROM unnest($9::uuid[], $10::timestamptz[], $11::timestamptz[]) AS k (event, since, until)
    CROSS JOIN LATERAL (
        SELECT * FROM gate.decisions d
        WHERE d.event_id = k.event AND d.decided_at >= k.since AND d.decided_at < k.until
        LIMIT $12
    ) d
)
SELECT d.id, d.facility_id AS facility, d.lane_id, coalesce(l.slug, d.lane_id::text) AS lane,
    l.direction, d.event_id AS event, d.decision, d.reason, d.plate, d.plate_raw, d.confidence,
    d.stay_id AS stay, z.name AS zone,
    (SELECT s.spot_number FROM public.parking_spots s WHERE s.id = d.spot_id) AS spot,
    d.price, d.currency, d.command_id AS command, d.received_at, d.decided_at,
    d.facts::text AS facts, d.fence_waited_ms, d.lock_waited_ms
FROM chosen d
LEFT JOIN gate.lanes l ON l.id = d.lane_id
LEFT JOIN public.zones z ON z.id = d.zone_id
WHERE d.facility_id = ANY ($1::uuid[])
ORDER BY d.decided_at, d.id
