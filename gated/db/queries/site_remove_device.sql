-- The device is out of service.
UPDATE gate.devices SET is_active = false WHERE facility_id = $1 AND slug = $2
