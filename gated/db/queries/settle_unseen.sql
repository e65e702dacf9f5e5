-- Exactly one row: the outcome, and what is due where it is 'settled'.
SELECT outcome, due, currency
FROM gate.settle_unseen_v1(
    p_facility => $1, p_booking => $2, p_from => $3, p_charged => $4, p_reason => $5, p_at => $6,
    p_actor => $7, p_user => $8)
