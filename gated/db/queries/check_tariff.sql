-- The name of the tariff that would govern the stay of a stranger that begins now; null if there is
-- none.
SELECT (gate.rule_in_force_v1($1, now())).name
