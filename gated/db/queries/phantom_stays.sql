-- The open stays of the facility $1 that look at $2 as if their vehicles were gone, the longest unseen
-- first. $3: without a sign for so many days; null: as the facility has set it.
SELECT stay, ticket, plate, zone, spot_number, entry_at, seen_at, ended_at, strength,
    evidence::text AS evidence
FROM gate.phantom_stays_v1($1, $2, $3)
