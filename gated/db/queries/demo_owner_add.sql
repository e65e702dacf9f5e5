-- A customer of the web shop. Answers the id.
INSERT INTO public.users (email, is_verified) VALUES ($1, true) RETURNING id
