-- Records a migration; of version 0, which is applied again and again, the last time stands.
INSERT INTO gate.migrations (version, name, digest)
VALUES ($1, $2, $3)
ON CONFLICT (version) DO UPDATE
SET name = excluded.name, digest = excluded.digest, applied_at = excluded.applied_at
WHERE migrations.version = 0
