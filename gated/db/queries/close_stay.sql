-- Exactly one row: the outcome, and what the stay came to where it is 'closed'.
SELECT outcome, ended_at, price, currency, remainder
FROM gate.close_stay_v1(
    p_facility => $1, p_stay => $2, p_operator => $3, p_reason => $4, p_debt => $5, p_at => $6,
    p_id => $7)
