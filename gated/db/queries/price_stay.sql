-- Exactly one row: the price with its explanation.
SELECT amount, currency, rule_ids, lines FROM gate.price_stay_v1($1, $2, $3)
