-- A reservation as the web shop takes it: by plate, from now on, for some seconds.
SELECT r.outcome
FROM gate.facility_settings s
CROSS JOIN LATERAL gate.reserve_v1(
    gen_random_uuid(), s.facility_id, now(), now() + make_interval(secs => $3), now(), p_plate => $2) r
WHERE s.slug = $1
