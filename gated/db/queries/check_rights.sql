-- The rights that a daemon needs and our role has not. The schema must be current.
SELECT format('USAGE on the schema %s', n.name)
FROM unnest(ARRAY['public', 'gate']) AS n (name)
WHERE NOT has_schema_privilege(n.name, 'USAGE')
UNION ALL
SELECT format('%s on %s', right_.name, t.name)
FROM (VALUES
    ('public.vehicles', ARRAY['SELECT']),
    ('public.facilities', ARRAY['SELECT']),
    ('public.zones', ARRAY['SELECT']),
    ('public.parking_spots', ARRAY['SELECT']),
    ('public.pricing_rules', ARRAY['SELECT']),
    ('public.subscriptions', ARRAY['SELECT']),
    ('public.user_subscriptions', ARRAY['SELECT']),
    ('public.facility_staff', ARRAY['SELECT']),
    ('public.bookings', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('public.payments', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('public.violations', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('public.audit_logs', ARRAY['INSERT']),
    ('gate.facility_settings', ARRAY['SELECT']),
    ('gate.lanes', ARRAY['SELECT']),
    ('gate.zone_settings', ARRAY['SELECT']),
    ('gate.penalties', ARRAY['SELECT']),
    ('gate.lane_zones', ARRAY['SELECT']),
    ('gate.spot_distances', ARRAY['SELECT']),
    ('gate.devices', ARRAY['SELECT']),
    ('gate.leases', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.events', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.event_keys', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
    ('gate.claims', ARRAY['SELECT']),
    ('gate.spot_changes', ARRAY['SELECT']),
    ('gate.decisions', ARRAY['SELECT', 'INSERT']),
    ('gate.free_passages', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
    ('gate.lane_notes', ARRAY['SELECT', 'INSERT', 'DELETE']),
    ('gate.debts', ARRAY['SELECT']),
    ('gate.refunds', ARRAY['SELECT', 'INSERT']),
    ('gate.waivers', ARRAY['SELECT', 'INSERT']),
    ('gate.lane_modes', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.facility_modes', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.evacuations', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.commands', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.zone_counts', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.spot_states', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('gate.reconciliations', ARRAY['SELECT', 'INSERT', 'UPDATE'])
) AS t (name, rights), unnest(t.rights) AS right_ (name)
WHERE has_schema_privilege('gate', 'USAGE') AND NOT has_table_privilege(t.name, right_.name)
UNION ALL
SELECT format('EXECUTE on gate.%s', p.proname)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'gate' AND NOT has_function_privilege(p.oid, 'EXECUTE')
