-- The zone is out of service; its spots have gone before.
UPDATE public.zones SET is_active = false WHERE facility_id = $1 AND code = $2
