-- Whether this database has a record of migrations at all.
SELECT to_regclass('gate.migrations') IS NOT NULL
