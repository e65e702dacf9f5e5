-- The faults of the lanes of the facility $1 that were raised and have not ended: the last word on
-- each, of all notes of the facility. For a start, not for each vehicle.
SELECT f.lane_id, f.fault, f.at
FROM (
    SELECT DISTINCT ON (n.lane_id, n.detail) n.lane_id, n.detail AS fault, n.at, n.name
    FROM gate.lane_notes n
    WHERE n.facility_id = $1 AND n.name IN ('fault_raised', 'fault_cleared')
    -- What ends and begins with one message begins last.
    ORDER BY n.lane_id, n.detail, n.at DESC, n.name DESC
) f
WHERE f.name = 'fault_raised'
ORDER BY f.at
