-- Promises the violations of vehicles that stand in a facility at p_at, each opened once and only
-- where the facility lists a penalty for it (even 0); answers those that this call opened, and what
-- nobody can explain, also once.
--
-- overstay           of a reservation, while it lasts: gate.open_overstay_v1.
-- wrong_zone         a sensor reads the plate of an open stay in another zone than it was given when it
--                    came in or was let on; who found no spot free then was given none.
-- accessible_misuse  a sensor reads a plate on an accessible spot, and neither its vehicle nor its
--                    stay has the right to it.
-- ev_misuse          the same at a charger, where they are kept for those who want one.
-- unexplained        something stands on a spot that no stay has, and its plate is not known. No
--                    offence: it may be the vehicle of any stay, or of none.
--
-- What stands on a spot is judged after the facility's grace, counted from when gated heard of it, or
-- from when its vehicle came in or was let on into another zone, and not before its sensor has spoken
-- since. A vehicle on the spot that it was given commits none of these.
CREATE OR REPLACE FUNCTION gate.open_offences_v1(p_facility uuid, p_at timestamptz)
RETURNS TABLE (kind text, violation uuid, stay uuid, zone text, spot_number text, since timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    c_same CONSTANT interval := '12 hours';
    v_booking public.bookings;
    v_found record;
BEGIN
    FOR v_booking IN
        SELECT b.* FROM gate.claims c
        CROSS JOIN LATERAL (
            SELECT b.* FROM public.bookings b
            WHERE b.id = c.booking_id AND b.entry_time = c.entry_time
                AND b.status = 'ACTIVE' AND b.reserved_until < p_at
        ) b
        WHERE c.facility_id = p_facility AND c.kind = 'stay'
    LOOP
        violation := gate.open_overstay_v1(v_booking, v_booking.id, NULL, p_at);
        IF violation IS NOT NULL THEN
            kind := 'overstay';
            stay := v_booking.id;
            since := v_booking.reserved_until;
            SELECT z.code, s.spot_number INTO zone, spot_number
            FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
            WHERE s.id = v_booking.spot_id;
            RETURN NEXT;
        END IF;
    END LOOP;

    FOR v_found IN
        SELECT t.spot_id, t.plate, t.since, t.heard_at, t.event_id, z.code AS zone, s.spot_number,
            c.booking_id AS stay, c.entry_time, given.code AS given,
            w.vehicle, w.owner, o.kind
        FROM gate.facility_settings f
        JOIN gate.spot_states t ON t.facility_id = f.facility_id
        JOIN public.parking_spots s ON s.id = t.spot_id
        JOIN public.zones z ON z.id = s.zone_id AND z.facility_id = f.facility_id
        LEFT JOIN LATERAL (
            SELECT c.*, coalesce((
                SELECT max(g.begins_at) FROM gate.stay_segments g
                WHERE g.booking_id = c.booking_id), c.entry_time) AS here_from
            FROM gate.claims c
            WHERE c.facility_id = f.facility_id AND c.kind = 'stay' AND c.plate = t.plate
        ) c ON c.here_from <= greatest(t.told_at, t.heard_at)
        LEFT JOIN public.zones given ON given.id = c.zone_id
        LEFT JOIN public.bookings b ON b.id = c.booking_id AND b.entry_time = c.entry_time
        CROSS JOIN LATERAL (
            SELECT v.id AS vehicle, v.user_id AS owner, v.is_electric, v.has_accessible_permit
            FROM gate.vehicle_of_v1(b.vehicle_id, t.plate, NULL) v
        ) w
        CROSS JOIN LATERAL (VALUES
            -- Who came in when nothing was free was given no zone, whatever it has in the books since.
            ('wrong_zone', c.zone_id <> s.zone_id AND NOT EXISTS (
                SELECT FROM public.audit_logs a
                WHERE a.correlation_id = c.booking_id AND a.action = 'stay.seated'
                    AND a."timestamp" >= c.here_from)),
            ('accessible_misuse', s.is_accessible
                AND NOT (coalesce(w.has_accessible_permit, false)
                    OR coalesce(b.needs_accessible, false))),
            ('ev_misuse', s.has_ev_charger AND f.ev_spots_kept
                AND NOT (coalesce(w.is_electric, false) OR coalesce(b.wants_ev_charger, false)))
        ) AS o (kind, committed)
        WHERE f.facility_id = p_facility AND t.occupied AND t.plate IS NOT NULL
            AND greatest(t.heard_at, c.here_from)
                <= p_at - make_interval(mins => f.misuse_grace_minutes)
            AND c.spot_id IS DISTINCT FROM t.spot_id
            AND o.committed
            -- Without a stay it is a stranger's, and not that of one that has left or come anew
            -- since: its sensor has not noticed.
            AND (c.booking_id IS NOT NULL
                OR NOT EXISTS (
                    SELECT FROM gate.claims k
                    WHERE k.facility_id = p_facility AND k.plate = t.plate AND k.kind = 'stay')
                AND NOT EXISTS (
                    SELECT FROM public.bookings e
                    WHERE e.facility_id = p_facility AND e.plate_number = t.plate
                        AND e.actual_exit >= t.heard_at)
                AND NOT EXISTS (
                    SELECT FROM public.violations v
                    WHERE v.facility_id = p_facility
                        AND v.status = ANY (enum_range(NULL::public.violation_status))
                        AND v.violation_time > t.heard_at - c_same AND v.violation_type = o.kind
                        AND v.plate_number = t.plate))
            AND EXISTS (
                SELECT FROM gate.penalties p
                WHERE p.facility_id = p_facility AND p.violation_type = o.kind)
        ORDER BY t.heard_at, t.spot_id, o.kind
    LOOP
        kind := v_found.kind;
        stay := v_found.stay;
        zone := v_found.zone;
        spot_number := v_found.spot_number;
        since := v_found.since;
        -- One offence for each stay; without one, for each time that the vehicle stands there. A
        -- sensor that flaps makes many times of one: hence the hours above.
        violation := gate.offence_id_v1(kind, coalesce(
            stay::text, v_found.plate || '/' || v_found.spot_id
                || '/' || gate.utc_text_v1(v_found.heard_at)));
        CONTINUE WHEN EXISTS (SELECT FROM public.violations v WHERE v.id = violation);
        PERFORM gate.open_violation_v1(
            violation, p_facility, kind, stay, v_found.vehicle, v_found.owner, v_found.plate,
            jsonb_strip_nulls(jsonb_build_object(
                'zone', zone, 'spot', spot_number, 'zone_given', v_found.given,
                'since', gate.utc_text_v1(since), 'seen_at', gate.utc_text_v1(p_at),
                'event', v_found.event_id)),
            p_at, v_found.event_id);
        RETURN NEXT;
    END LOOP;

    violation := NULL;
    stay := NULL;
    kind := 'unexplained';
    FOR zone, spot_number, since IN
        WITH stranger AS (
            SELECT t.spot_id, z.code, s.spot_number, t.since
            FROM gate.facility_settings f
            JOIN gate.spot_states t ON t.facility_id = f.facility_id
            JOIN public.parking_spots s ON s.id = t.spot_id
            JOIN public.zones z ON z.id = s.zone_id AND z.facility_id = f.facility_id
            WHERE f.facility_id = p_facility AND t.occupied AND t.plate IS NULL
                AND t.noticed_at IS NULL
                AND t.heard_at <= p_at - make_interval(mins => f.misuse_grace_minutes)
                AND NOT EXISTS (
                    SELECT FROM gate.claims c WHERE c.spot_id = t.spot_id AND c.kind = 'stay')
            FOR NO KEY UPDATE OF t SKIP LOCKED
        ), noticed AS (
            UPDATE gate.spot_states t SET noticed_at = p_at
            FROM stranger s WHERE t.spot_id = s.spot_id
        )
        SELECT s.code, s.spot_number, s.since FROM stranger s ORDER BY s.code, s.spot_number
    LOOP
        RETURN NEXT;
    END LOOP;
END
$$;
