-- Promises what is known of where the vehicle of an open stay was since it came in, a row each;
-- changes nothing. inside: it was here at that time. weight says how much the sign speaks for its
-- having left: 2 by itself, 1 with another one, 0 nothing, -1 against it.
--
-- kind          weight
-- entry           0   it was let in
-- paid            0   somebody paid for it
-- seen           -1   a spot sensor reads its plate, now
-- spot_occupied  -1   something stands on its spot, now
-- spot_free       1   its spot has been empty for two hours, after something stood there
-- spot_other      1   another vehicle stands on its spot
-- read_at_exit    1   it was read at an exit here an hour ago or longer, and not let out
-- read_outside    2   it was read at an entrance here
-- elsewhere       2   it was let in at another facility
CREATE OR REPLACE FUNCTION gate.stay_signs_v1(p_booking public.bookings, p_at timestamptz)
RETURNS TABLE (kind text, at timestamptz, inside boolean, weight integer, details jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- A vehicle at a lane is read more than once, and one that waits at an exit may drive off yet.
    c_settled CONSTANT interval := '15 minutes';
    c_gone CONSTANT interval := '1 hour';
    c_free CONSTANT interval := '2 hours';
    v_plate text := coalesce(
        nullif(gate.plate_normal_v1(p_booking.plate_number), ''),
        (SELECT v.plate_normal FROM public.vehicles v WHERE v.id = p_booking.vehicle_id));
BEGIN
    RETURN QUERY SELECT 'entry', p_booking.entry_time, true, 0, '{}'::jsonb;
    IF p_booking.paid_at > p_booking.entry_time THEN
        RETURN QUERY SELECT 'paid', p_booking.paid_at, true, 0, '{}'::jsonb;
    END IF;
    RETURN QUERY
        SELECT s.kind, s.at, true, s.weight, '{}'::jsonb
        FROM gate.spot_states t
        CROSS JOIN LATERAL (
            SELECT 'spot_free', t.since, 1
            WHERE NOT t.occupied AND t.since > p_booking.entry_time AND t.heard_at <= p_at - c_free
            UNION ALL
            SELECT 'spot_other', t.since, 1
            WHERE t.plate <> v_plate AND t.since > p_booking.entry_time
            UNION ALL
            SELECT 'spot_occupied', t.told_at, -1
            WHERE t.occupied AND t.plate IS NULL AND t.told_at >= p_booking.entry_time
        ) s (kind, at, weight)
        WHERE t.spot_id = p_booking.spot_id;
    IF v_plate IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT 'seen', max(t.told_at), true, -1, jsonb_build_object('spot', min(s.spot_number))
        FROM gate.spot_states t JOIN public.parking_spots s ON s.id = t.spot_id
        WHERE t.facility_id = p_booking.facility_id AND t.plate = v_plate
            AND t.told_at >= p_booking.entry_time
        HAVING count(*) > 0;
    RETURN QUERY
        SELECT CASE l.direction WHEN 'exit' THEN 'read_at_exit' ELSE 'read_outside' END,
            CASE l.direction WHEN 'exit' THEN max(d.decided_at) ELSE min(d.decided_at) END,
            l.direction = 'exit', CASE l.direction WHEN 'exit' THEN 1 ELSE 2 END,
            jsonb_build_object('lane', min(l.slug), 'reason', min(d.reason))
        FROM gate.decisions d JOIN gate.lanes l ON l.id = d.lane_id
        WHERE d.facility_id = p_booking.facility_id AND d.plate = v_plate
            AND d.decided_at > p_booking.entry_time + c_settled AND d.decided_at <= p_at
            AND (l.direction = 'entry' OR d.decided_at <= p_at - c_gone)
            AND d.decision = 'deny'
        GROUP BY l.direction;
    RETURN QUERY
        SELECT 'elsewhere', b.entry_time, false, 2, jsonb_build_object('facility', f.slug)
        FROM public.bookings b
        JOIN gate.facility_settings f ON f.facility_id = b.facility_id
        WHERE b.plate_number = v_plate AND b.facility_id <> p_booking.facility_id
            AND b.entry_time > p_booking.entry_time AND b.entry_time <= p_at
            AND b.status IN ('ACTIVE', 'COMPLETED') AND b.entry_lane_id IS NOT NULL
        ORDER BY b.entry_time LIMIT 1;
END
$$;
