-- The tariff version $2 is out of force from $3 on; it stays for those who entered under it.
UPDATE public.pricing_rules SET valid_until = $3 WHERE facility_id = $1 AND id = $2
