-- What each stay of the facility $1 costs, or why it has no price: entries $2, exits $3, contexts
-- $4. A row for each stay, in their order.
SELECT p.amount, p.currency, p.rule_ids, p.lines::text AS lines, p.error,
    p.reason
FROM unnest($2::timestamptz[], $3::timestamptz[], $4::text[])
    WITH ORDINALITY AS stay (entry, exit, context, place)
LEFT JOIN LATERAL gate.try_price_v1($1, stay.entry, stay.exit, stay.context::jsonb) AS p ON true
ORDER BY stay.place
