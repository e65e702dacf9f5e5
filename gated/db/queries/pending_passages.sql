-- The newest grant of each stay since $2 whose passage has not been seen, in the order granted.
SELECT p.lane_id, p.stay_id, p.zone_id, p.plate, p.command_id, p.event_id, p.decided_at
FROM (
    SELECT DISTINCT ON (d.stay_id)
        d.lane_id, d.stay_id, d.zone_id, d.plate, d.command_id, d.event_id, d.decided_at
    FROM gate.decisions d
    WHERE d.facility_id = $1 AND d.decided_at >= $2
        AND d.decision = 'grant' AND d.stay_id IS NOT NULL
    ORDER BY d.stay_id, d.decided_at DESC
) p
JOIN gate.tickets t ON t.booking_id = p.stay_id
JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
WHERE (b.entry_lane_id = p.lane_id AND b.status = 'ACTIVE' AND b.entry_known IS NULL)
    OR (b.exit_lane_id = p.lane_id AND b.status = 'COMPLETED' AND b.exit_known IS NULL)
    OR (b.status = 'ACTIVE' AND EXISTS (
        SELECT FROM gate.stay_segments g
        WHERE g.booking_id = b.id AND g.lane_id = p.lane_id AND g.known IS NULL AND g.position > 1))
ORDER BY p.decided_at
