-- When each of the stays $1 went on into another zone.
SELECT g.booking_id AS stay, g.begins_at AS at
FROM gate.stay_segments g WHERE g.booking_id = ANY ($1::uuid[]) AND g.position > 1
ORDER BY g.booking_id, g.position
