-- How many passages of the facility $1 from before $2 had no end; at $3.
SELECT gate.assume_passages_v1($1, $2, $3)
