-- What operators did on the lanes $1, each from $2 to $3, and whether the facility was evacuated then;
-- `span` counts the lanes from 1. What they ask names no lane in the inbox, and is found there all the
-- same: it is little.
SELECT k.span, o.id, o.at, o.action, o.correlation
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
    WITH ORDINALITY AS k (lane, since, until, span)
JOIN gate.lanes l ON l.id = k.lane
CROSS JOIN LATERAL (
    SELECT a.id, a."timestamp" AS at, a.action, a.correlation_id AS correlation
    FROM gate.events e
    JOIN public.audit_logs a ON a.correlation_id = e.id
        AND a."timestamp" >= k.since - interval '1 day'
        AND a."timestamp" < k.until + interval '1 day'
    WHERE e.lane_id IS NULL AND e.kind = 'operator' AND e.facility_id = l.facility_id
        AND e.received_at >= k.since AND e.received_at < k.until
        AND a.action LIKE 'operator.%' AND a.resource_type = 'lane' AND a.resource_id = k.lane
    UNION ALL
    SELECT a.id, a."timestamp", a.action, a.correlation_id
    FROM public.audit_logs a
    WHERE a.facility_id = l.facility_id AND a."timestamp" >= k.since AND a."timestamp" < k.until
        AND a.action IN ('operator.evacuate', 'operator.resume')
) o
WHERE o.correlation IS NOT NULL
ORDER BY k.span, o.at, o.id
