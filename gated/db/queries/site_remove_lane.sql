-- The lane is out of service and fills no zone.
WITH removed AS (
    UPDATE gate.lanes SET is_active = false WHERE facility_id = $1 AND slug = $2 RETURNING id
)
DELETE FROM gate.lane_zones WHERE lane_id IN (SELECT removed.id FROM removed)
