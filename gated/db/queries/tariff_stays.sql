-- The stays of the facility $1 that began in [$2, $3) and have ended, with what they are priced with;
-- not those that a right covers: they cost nothing under any tariff.
SELECT b.entry_time AS entry, b.actual_exit AS exit, gate.stay_context_v1(b)::text AS context
FROM public.bookings AS b
WHERE b.facility_id = $1 AND b.status = 'COMPLETED' AND b.entry_time >= $2 AND b.entry_time < $3
    AND coalesce(b.entitlement, 'reservation') = 'reservation'
ORDER BY b.entry_time, b.id
