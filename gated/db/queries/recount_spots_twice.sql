-- Pairs of stays that stood on one spot at one time; a cancelled admission held no spot, and one that
-- came in when none was left, from when it got one.
WITH stood AS (
    SELECT b.id, b.spot_id, tstzrange(
        coalesce(
            (SELECT max(a."timestamp") FROM public.audit_logs a
             WHERE a.action = 'stay.seated' AND a.resource_id = b.id),
            b.entry_time),
        coalesce(b.actual_exit, 'infinity')) AS during
    FROM public.bookings b
    WHERE b.status IN ('ACTIVE', 'COMPLETED') AND b.spot_id IS NOT NULL
)
SELECT count(*) AS pairs
FROM stood a
JOIN stood b ON b.spot_id = a.spot_id AND b.id > a.id AND b.during && a.during
