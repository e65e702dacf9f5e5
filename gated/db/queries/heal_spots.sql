-- How many spots of the facility $1 did not say what their claims say.
SELECT gate.heal_spots_v1($1, $2)
