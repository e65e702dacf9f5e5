-- What became of the word of a zone's counter.
SELECT gate.note_zone_count_v1(
    p_facility => $1, p_fence => $2, p_event => $3, p_zone => $4, p_occupied => $5, p_at => $6,
    p_heard_at => $7)
