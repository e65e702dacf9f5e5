-- A vehicle as the web shop registers it, or as the back office blocks it.
INSERT INTO public.vehicles (user_id, plate_number, is_verified, is_blocked, blocked_reason)
VALUES ($1, $2, true, $3, CASE WHEN $3 THEN 'unpaid' END)
