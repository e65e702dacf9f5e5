-- Violations by kind.
SELECT violation_type AS kind, count(*) AS violations
FROM public.violations
GROUP BY violation_type
ORDER BY violation_type
