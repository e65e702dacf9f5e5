-- Who changed the set-up of the facility $1, and what.
INSERT INTO public.audit_logs (action, resource_type, resource_id, facility_id, actor, details)
VALUES ('site.applied', 'facility', $1, $1, session_user, $2::text::jsonb)
