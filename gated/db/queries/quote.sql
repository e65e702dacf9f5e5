-- Exactly one row: the price of a period with its explanation.
SELECT amount, currency, rule_ids, lines FROM gate.quote_v1($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb)
