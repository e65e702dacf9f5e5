-- What stands where gated's own tables would go, in a database without record of migrations.
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND (n.nspname = 'gate' OR n.nspname = 'public' AND c.relname = ANY ($1::text[]))
ORDER BY 1
