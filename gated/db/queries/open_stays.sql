-- The stays of the facility whose vehicle is inside, with a plate to match reads with.
SELECT c.booking_id AS stay, c.plate, c.entry_time AS entry_at, c.zone_id AS zone
FROM gate.claims c
WHERE c.facility_id = $1 AND c.kind = 'stay' AND c.plate IS NOT NULL
