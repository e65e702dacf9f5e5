-- Promises what is known of where the vehicles of the open stays of a facility were since they came
-- in, a row each; changes nothing. p_stay: of that one alone. inside: it was here at that time; null:
-- that is of another vehicle, and says nothing of where this one was. weight says how much the sign
-- speaks for its having left: 2 by itself, 1 with another one, 0 nothing, -1 against it.
--
-- kind          weight
-- entry           0   it was let in; known: how its passage is
-- paid            0   somebody paid for it, or a part of it
-- read_within     0   it was read at a lane between two zones, or went through one
-- reserved        0   it may stay by its reservation
-- seen           -1   a spot sensor reads its plate, now
-- spot_occupied  -1   something stands on its spot, now
-- spot_free       1   its spot has been empty for two hours, after something stood there
-- spot_other      1   another vehicle stands on its spot
-- read_at_exit    1   it was read at an exit here an hour ago or longer, and did not leave by it
-- read_outside    2   it was read at an entrance here
-- elsewhere       2   it was let in at another facility
--
-- What is said of its spot counts from when it was there, or was given it at a lane between zones.
CREATE OR REPLACE FUNCTION gate.stay_signs_v1(
    p_facility uuid, p_at timestamptz, p_stay uuid DEFAULT NULL
) RETURNS TABLE (
    stay uuid, kind text, at timestamptz, inside boolean, weight integer, details jsonb
)
LANGUAGE plpgsql STABLE
-- One stay or thousands, of hours or of months: the values make the plan.
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
DECLARE
    -- A vehicle at a lane is read more than once, and one that waits at an exit may drive off yet.
    c_settled CONSTANT interval := '15 minutes';
    c_gone CONSTANT interval := '1 hour';
    c_free CONSTANT interval := '2 hours';
BEGIN
    RETURN QUERY
        WITH inside AS MATERIALIZED (
            SELECT b.id, b.entry_time, b.entry_known, b.reserved_until, b.spot_id,
                greatest(b.paid_at, (
                    SELECT max(p.created_at) FROM public.payments p
                    WHERE p.booking_id = b.id AND p.status IN ('COMPLETED', 'REFUNDED')
                )) AS paid_at,
                coalesce((
                    SELECT max(g.begins_at) FROM gate.stay_segments g WHERE g.booking_id = b.id
                ), b.entry_time) AS here_from,
                coalesce(nullif(gate.plate_normal_v1(b.plate_number), ''), v.plate_normal) AS plate
            FROM public.bookings b LEFT JOIN public.vehicles v ON v.id = b.vehicle_id
            WHERE b.facility_id = p_facility AND b.status = 'ACTIVE'
                AND (p_stay IS NULL OR b.id = p_stay)
        )
        SELECT i.id, s.kind, s.at, true, 0, s.details
        FROM inside i CROSS JOIN LATERAL (
            SELECT 'entry', i.entry_time,
                jsonb_strip_nulls(jsonb_build_object('known', i.entry_known))
            UNION ALL
            SELECT 'paid', i.paid_at, '{}' WHERE i.paid_at > i.entry_time
            UNION ALL
            SELECT 'reserved', i.entry_time,
                jsonb_build_object('until', gate.utc_text_v1(i.reserved_until))
            WHERE i.reserved_until > p_at
        ) s (kind, at, details)
        UNION ALL
        SELECT i.id, s.kind, s.at, s.inside, s.weight, '{}'
        FROM inside i
        JOIN gate.spot_states t ON t.spot_id = i.spot_id
        CROSS JOIN LATERAL (
            SELECT 'spot_free', t.since, true, 1
            WHERE NOT t.occupied AND t.since > i.here_from AND t.heard_at <= p_at - c_free
            UNION ALL
            SELECT 'spot_other', t.since, NULL, 1
            WHERE t.plate <> i.plate AND t.since > i.here_from
            UNION ALL
            SELECT 'spot_occupied', greatest(t.told_at, t.heard_at), true, -1
            WHERE t.occupied AND t.plate IS NULL
                AND greatest(t.told_at, t.heard_at) >= i.here_from
        ) s (kind, at, inside, weight)
        UNION ALL
        SELECT i.id, 'seen', max(greatest(t.told_at, t.heard_at)), true, -1,
            jsonb_build_object('spot', min(s.spot_number))
        FROM inside i
        JOIN gate.spot_states t ON t.facility_id = p_facility AND t.plate = i.plate
            AND greatest(t.told_at, t.heard_at) >= i.entry_time
        JOIN public.parking_spots s ON s.id = t.spot_id
        GROUP BY i.id
        UNION ALL
        SELECT i.id, d.kind, d.at, d.inside, d.weight,
            jsonb_build_object('lane', d.lane, 'reason', d.reason)
        FROM inside i CROSS JOIN LATERAL (
            SELECT CASE l.direction WHEN 'exit' THEN 'read_at_exit' ELSE 'read_outside' END,
                CASE l.direction WHEN 'exit' THEN max(d.decided_at) ELSE min(d.decided_at) END,
                l.direction = 'exit', CASE l.direction WHEN 'exit' THEN 1 ELSE 2 END,
                min(l.slug), min(d.reason)
            FROM (
                SELECT d.lane_id, d.decided_at, d.reason FROM gate.decisions d
                WHERE d.facility_id = p_facility AND d.plate = i.plate AND d.decision = 'deny'
                UNION ALL
                -- Asked to pay, or let out and turned back.
                SELECT c.lane_id, c.issued_at, c.reason
                FROM gate.commands c JOIN gate.lanes l ON l.id = c.lane_id
                WHERE c.stay_id = i.id AND l.direction = 'exit'
            ) d
            JOIN gate.lanes l ON l.id = d.lane_id
            WHERE d.decided_at > i.entry_time + c_settled AND d.decided_at <= p_at
                AND (l.direction = 'entry'
                    OR l.direction = 'exit' AND d.decided_at <= p_at - c_gone)
            GROUP BY l.direction
        ) d (kind, at, inside, weight, lane, reason)
        UNION ALL
        SELECT i.id, 'read_within', w.at, true, 0, jsonb_build_object('lane', w.lane)
        FROM inside i CROSS JOIN LATERAL (
            SELECT w.at, l.slug
            FROM (
                SELECT d.decided_at, d.lane_id FROM gate.decisions d
                WHERE d.facility_id = p_facility AND d.plate = i.plate
                    AND d.decided_at > i.entry_time AND d.decided_at <= p_at
                UNION ALL
                SELECT g.begins_at, g.lane_id FROM gate.stay_segments g
                WHERE g.booking_id = i.id AND g.position > 1
            ) w (at, lane_id)
            JOIN gate.lanes l ON l.id = w.lane_id AND l.direction = 'transfer'
            ORDER BY w.at DESC LIMIT 1
        ) w (at, lane)
        UNION ALL
        SELECT i.id, 'elsewhere', e.at, false, 2, jsonb_build_object('facility', e.slug)
        FROM inside i CROSS JOIN LATERAL (
            SELECT b.entry_time, f.slug
            FROM public.bookings b
            JOIN gate.facility_settings f ON f.facility_id = b.facility_id
            WHERE b.plate_number = i.plate AND b.facility_id <> p_facility
                AND b.entry_time > i.entry_time AND b.entry_time <= p_at
                AND b.status IN ('ACTIVE', 'COMPLETED') AND b.entry_lane_id IS NOT NULL
            ORDER BY b.entry_time LIMIT 1
        ) e (at, slug);
END
$$;
