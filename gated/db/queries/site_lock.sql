-- Promises that no other apply of this facility runs until the transaction ends, whatever pooler
-- stands between; answers the time from which its changes hold.
WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(1734440037, hashtext($1)))
SELECT clock_timestamp() FROM locked
