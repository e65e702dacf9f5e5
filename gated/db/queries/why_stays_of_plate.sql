-- The bookings of the plate $2 at the facilities $1: those that begin in [$3, $4), the $6 newest of
-- each facility, and those that hold a spot now and began, or are to begin, before $5.
SELECT c.booking_id AS id
FROM gate.claims c
WHERE c.facility_id = ANY ($1::uuid[]) AND c.plate = $2 AND c.kind = 'stay' AND c.entry_time < $5
UNION
SELECT c.booking_id
FROM gate.claims c
WHERE c.facility_id = ANY ($1::uuid[]) AND c.plate = $2 AND c.kind = 'reservation'
    AND c.entry_time < $5
UNION
SELECT b.id
FROM unnest($1::uuid[]) AS f (id)
CROSS JOIN LATERAL (
    SELECT b.id FROM public.bookings b
    WHERE b.facility_id = f.id AND b.plate_number = $2 AND b.entry_time >= $3 AND b.entry_time < $4
    ORDER BY b.entry_time DESC
    LIMIT $6
) b
