-- The open stays of the facility $1 that were inside at $2 and have not been seen inside since.
SELECT stay, ticket, plate, entry_time, entry_lane, zone, spot, seen_at, seen, seen_lane
FROM gate.unseen_stays_v1($1, $2)
