-- Denials by reason.
SELECT reason, count(*) AS denials
FROM gate.decisions
WHERE decision = 'deny'
GROUP BY reason
ORDER BY reason
