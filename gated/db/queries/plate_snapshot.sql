-- Exactly one row: what is known about the plate.
SELECT
    vehicle, owner, blocked, stay, entry_at, zone, spot, spot_number, ticket, released, price,
    currency, zones, available, due, booking, booking_zone, subscription, staff, violations,
    violation_denies, lapsed, parker_group
FROM gate.plate_snapshot_v1($1, $2, $3, $4, $5)
