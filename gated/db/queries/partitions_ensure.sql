-- Makes the partitions that will be needed; answers how many were missing.
SELECT gate.ensure_partitions_v1((now() AT TIME ZONE 'UTC')::date, 24)
