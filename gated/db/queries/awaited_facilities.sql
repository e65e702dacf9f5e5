-- The facilities with a reservation whose vehicle may come by $1.
SELECT f.facility_id
FROM gate.facility_settings f
WHERE EXISTS (
    SELECT FROM gate.claims c
    WHERE c.facility_id = f.facility_id AND c.kind = 'reservation'
        AND c.entry_time <= $1::timestamptz + make_interval(mins => f.early_minutes_max))
