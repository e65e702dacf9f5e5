-- Who changed the set-up of the facility $1, and what.
INSERT INTO public.audit_logs (
    action, resource_type, resource_id, facility_id, actor, correlation_id, details
) VALUES (
    'site.applied', 'facility', $1, $1, session_user, gen_random_uuid(), $2::text::jsonb
)
