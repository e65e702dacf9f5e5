-- The zone is in service as stated.
WITH put AS (
    INSERT INTO public.zones (facility_id, code, name) VALUES ($1, $2, $3)
    ON CONFLICT ON CONSTRAINT zones_code_key DO UPDATE SET name = excluded.name, is_active = true
    RETURNING id
)
INSERT INTO gate.zone_settings (zone_id, fill_policy) SELECT put.id, $4 FROM put
ON CONFLICT (zone_id) DO UPDATE SET fill_policy = excluded.fill_policy
