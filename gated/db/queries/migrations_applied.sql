-- What was applied, in order. Version 0 stands for the functions and grants.
SELECT version, name, digest, applied_at FROM gate.migrations ORDER BY version
