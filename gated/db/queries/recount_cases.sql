-- What is left to people, by facility slug and kind.
SELECT s.slug, r.kind, count(*) AS cases
FROM gate.reconciliations r
JOIN gate.facility_settings s ON s.facility_id = r.facility_id
WHERE r.resolved_at IS NULL
GROUP BY s.slug, r.kind
ORDER BY r.kind, s.slug
