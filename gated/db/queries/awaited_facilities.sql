-- The facilities with a reservation that may begin before $1.
SELECT DISTINCT c.facility_id FROM gate.claims c
WHERE c.kind = 'reservation' AND c.entry_time < $1
