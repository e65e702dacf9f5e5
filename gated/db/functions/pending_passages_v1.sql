-- Promises the newest grant of each stay since p_since whose passage has no end, in the order granted.
CREATE OR REPLACE FUNCTION gate.pending_passages_v1(p_facility uuid, p_since timestamptz)
RETURNS TABLE (
    lane_id uuid, stay_id uuid, zone_id uuid, plate text, command_id uuid, event_id uuid,
    decided_at timestamptz
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT p.lane_id, p.stay_id, p.zone_id, p.plate, p.command_id, p.event_id, p.decided_at
        FROM (
            SELECT DISTINCT ON (d.stay_id)
                d.lane_id, d.stay_id, d.zone_id, d.plate, d.command_id, d.event_id, d.decided_at
            FROM gate.decisions d
            WHERE d.facility_id = p_facility AND d.decided_at >= p_since
                AND d.decision = 'grant' AND d.stay_id IS NOT NULL
            ORDER BY d.stay_id, d.decided_at DESC
        ) p
        JOIN gate.tickets t ON t.booking_id = p.stay_id
        JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        WHERE (b.entry_lane_id = p.lane_id AND b.status = 'ACTIVE' AND b.entry_known IS NULL)
            OR (b.exit_lane_id = p.lane_id AND b.status = 'COMPLETED' AND b.exit_known IS NULL)
            OR (b.status = 'ACTIVE' AND EXISTS (
                SELECT FROM gate.stay_segments g
                WHERE g.booking_id = b.id AND g.lane_id = p.lane_id AND g.known IS NULL
                    AND g.position > 1))
        ORDER BY p.decided_at;
END
$$;
