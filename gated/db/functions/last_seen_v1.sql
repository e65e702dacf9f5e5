-- Promises when and where a stay's vehicle was last seen before p_until, and by what: 'entry',
-- 'payment', 'command' (what it was shown or opened for it), 'read' (of its plate, at any lane; with
-- p_inside not at entrances, for a read there shows that it is not inside).
CREATE OR REPLACE FUNCTION gate.last_seen_v1(
    p_booking public.bookings, p_until timestamptz, p_inside boolean,
    OUT at timestamptz, OUT what text, OUT lane uuid
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT s.at, s.what, s.lane INTO at, what, lane
    FROM (
        SELECT p_booking.entry_time AS at, 'entry' AS what, p_booking.entry_lane_id AS lane
        UNION ALL
        SELECT p_booking.paid_at, 'payment', NULL
        WHERE p_booking.paid_at > p_booking.entry_time AND p_booking.paid_at < p_until
        UNION ALL
        SELECT max(p.created_at), 'payment', NULL FROM public.payments p
        WHERE p.booking_id = p_booking.id AND p.status IN ('COMPLETED', 'REFUNDED')
            AND p.created_at > p_booking.entry_time AND p.created_at < p_until
        HAVING count(*) > 0
        UNION ALL
        (SELECT c.issued_at, 'command', c.lane_id FROM gate.commands c
         WHERE c.stay_id = p_booking.id AND c.issued_at > p_booking.entry_time
             AND c.issued_at < p_until
         ORDER BY c.issued_at DESC LIMIT 1)
        UNION ALL
        (SELECT d.decided_at, 'read', d.lane_id FROM gate.decisions d
         WHERE d.facility_id = p_booking.facility_id AND d.plate = p_booking.plate_number
             AND d.decided_at > p_booking.entry_time AND d.decided_at < p_until
             AND (NOT p_inside OR EXISTS (
                 SELECT FROM gate.lanes l WHERE l.id = d.lane_id AND l.direction <> 'entry'))
         ORDER BY d.decided_at DESC LIMIT 1)
    ) s ORDER BY s.at DESC LIMIT 1;
END
$$;
