-- The offences at the facility $1 since $2 in the states $3, the newest first, at most $4.
SELECT v.id, v.violation_type AS kind, v.violation_time AS at, v.plate_number AS plate,
    v.penalty_amount AS penalty, coalesce(v.currency, s.currency) AS currency,
    v.status::text AS status, v.evidence::text AS evidence, l.slug AS lane,
    t.ticket_number AS ticket
FROM public.violations v
JOIN gate.facility_settings s ON s.facility_id = v.facility_id
LEFT JOIN gate.lanes l ON l.id::text = v.evidence ->> 'lane' AND l.facility_id = v.facility_id
LEFT JOIN gate.tickets t ON t.booking_id = v.booking_id
WHERE v.facility_id = $1 AND v.violation_time >= $2
    AND v.status = ANY ($3::text[]::public.violation_status[])
ORDER BY v.violation_time DESC, v.id
LIMIT $4
