-- What was done under the correlations $1, each from $2 to $3, and what was done to the things $4
-- at the instant $5: a payment, a refund and an offence are audited at their own time.
SELECT a.id, a."timestamp" AS at, a.action, a.resource_type, a.resource_id AS resource, a.actor,
    a.user_id AS user,
    (SELECT u.role::text FROM public.users u WHERE u.id = a.user_id) AS role,
    a.correlation_id AS correlation, a.details::text AS details
FROM (
    SELECT a.*
    FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS k (correlation, since, until)
    CROSS JOIN LATERAL (
        SELECT * FROM public.audit_logs a
        WHERE a.correlation_id = k.correlation
            AND a."timestamp" >= k.since AND a."timestamp" < k.until
        LIMIT 1000
    ) a
    UNION
    SELECT a.*
    FROM unnest($4::uuid[], $5::timestamptz[]) AS k (resource, at)
    CROSS JOIN LATERAL (
        SELECT * FROM public.audit_logs a
        WHERE a."timestamp" = k.at AND a.resource_id = k.resource
        LIMIT 1000
    ) a
) a
ORDER BY a."timestamp", a.id
