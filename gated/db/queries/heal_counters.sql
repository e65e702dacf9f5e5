-- How many counters of the facility $1 were not those of its spots.
SELECT gate.heal_counters_v1($1, $2)
