-- The offences in the stays $5, and those of the plates $6 in no stay of these, at the facilities $1
-- in the periods $2 to $3; $4: all states, so that the index on them leads to the times.
SELECT DISTINCT v.id, v.facility_id AS facility, v.booking_id AS booking, v.violation_type AS kind,
    v.penalty_amount AS penalty, v.currency, v.status::text AS status, v.violation_time AS at,
    v.plate_number AS plate, v.evidence::text AS evidence
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS k (facility, since, until)
CROSS JOIN LATERAL (
    SELECT * FROM public.violations v
    WHERE v.facility_id = k.facility AND v.status = ANY ($4::text[]::public.violation_status[])
        AND v.violation_time >= k.since AND v.violation_time < k.until
        AND (v.booking_id = ANY ($5::uuid[]) OR v.plate_number = ANY ($6::text[]))
    LIMIT 1000
) v
ORDER BY at, v.id
