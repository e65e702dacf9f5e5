-- How many vehicles without a spot were given one.
SELECT gate.seat_stays_v1($1, $2)
