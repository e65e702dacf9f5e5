-- The name of the tariff that would govern a stay that begins now; null if there is none.
SELECT r.name FROM public.pricing_rules r WHERE r.id = gate.rule_in_force_v1($1, now())
