-- What operators ordered to last: of the lanes, and (lane null) of the facility itself.
SELECT m.lane_id AS lane, m.mode, m.since, m.user_id, m.reason
FROM gate.lane_modes m WHERE m.facility_id = $1
UNION ALL
SELECT NULL, m.mode, m.since, m.user_id, m.reason
FROM gate.facility_modes m WHERE m.facility_id = $1
