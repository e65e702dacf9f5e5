-- The passages of the plate $2 that nobody granted at the facilities $1, in [$3, $4): the stay that
-- each began or ended, if any, and what showed it.
SELECT p.stay_id AS stay, p.id AS event, p.passed_at AS at
FROM gate.free_passages p
WHERE p.facility_id = ANY ($1::uuid[]) AND p.passed_at >= $3 AND p.passed_at < $4 AND p.plate = $2
ORDER BY p.passed_at
