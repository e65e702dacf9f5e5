-- Exactly one row: how many no-shows were ended and how many spots were marked as reserved.
SELECT
    (SELECT count(*) FROM gate.expire_no_shows_v1($1, $2, $3)) AS no_shows,
    gate.hold_spots_v1($1, $2) AS held
