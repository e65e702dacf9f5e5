-- What the stay $2 of the facility $1, begun at $3, costs if it ends at $4, and what is due of it.
SELECT c.amount, c.currency, c.lines::text AS lines, c.paid, c.due
FROM gate.charge_stay_v1($1, $2, $3, $4) AS c
