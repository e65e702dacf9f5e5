-- Who we are to the database, and whether we are more than a daemon should be.
SELECT current_user AS name,
    (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS is_superuser,
    EXISTS (
        SELECT FROM pg_catalog.pg_namespace n
        WHERE n.nspname = 'gate' AND pg_has_role(n.nspowner, 'USAGE')
    ) AS is_owner
