-- A tariff of the facility $1 that is in force from $7 on; answers its id.
INSERT INTO public.pricing_rules
    (facility_id, name, strategy, config, priority, free_minutes, valid_from)
VALUES ($1, $2, $3::text::public.pricing_strategy, $4::text::jsonb, $5, $6, $7)
RETURNING id
