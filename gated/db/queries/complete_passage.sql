-- Notes how the stay's passage through the lane became known.
SELECT gate.complete_passage_v1($1, $2, $3, $4, $5, $6, $7)
