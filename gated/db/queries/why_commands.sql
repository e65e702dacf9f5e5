-- The commands for the stays $2, and those with the ids $3, at the facilities $1.
SELECT c.id, c.facility_id AS facility, c.lane_id, coalesce(l.slug, c.lane_id::text) AS lane,
    coalesce(d.slug, c.device_id::text) AS device, c.event_id AS event, c.do_what AS do, c.reason,
    c.stay_id AS stay, c.price, c.currency, c.fence, c.status, c.issued_at, c.expires_at,
    c.dispatched_at, c.acknowledged_at, c.confirmed_at, c.ended_at, c.error, c.text
FROM (
    SELECT * FROM gate.commands c WHERE c.stay_id = ANY ($2::uuid[])
    UNION
    SELECT * FROM gate.commands c WHERE c.id = ANY ($3::uuid[])
) c
LEFT JOIN gate.lanes l ON l.id = c.lane_id
LEFT JOIN gate.devices d ON d.id = c.device_id
WHERE c.facility_id = ANY ($1::uuid[])
ORDER BY c.issued_at, c.id
