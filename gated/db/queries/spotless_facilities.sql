-- The facilities with a vehicle inside that holds no spot.
SELECT DISTINCT c.facility_id FROM gate.claims c WHERE c.spot_id IS NULL
