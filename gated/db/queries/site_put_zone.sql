-- The zone is in service as stated.
INSERT INTO public.zones (facility_id, code, name) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT zones_code_key DO UPDATE SET name = excluded.name, is_active = true
