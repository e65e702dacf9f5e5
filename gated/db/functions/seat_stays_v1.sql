-- Promises that vehicles which came in when no spot was left have one as far as spots came free: of
-- the zones that their lane fills, who waits longest first; each is audited. Answers
-- how many. At most p_looks are looked at; p_cause is the event that freed a spot.
--
-- Waits for nobody: a booking or a spot that somebody else works on just now is left for the next
-- call, so a transaction that has just freed a spot may call it.
CREATE OR REPLACE FUNCTION gate.seat_stays_v1(
    p_facility uuid,
    p_at timestamptz,
    p_cause uuid DEFAULT NULL,
    p_looks integer DEFAULT 100,
    p_actor text DEFAULT 'gated'
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_claim record;
    v_booking public.bookings;
    v_place record;
    v_spot uuid;
    v_lane uuid;
    v_seated integer := 0;
BEGIN
    FOR v_claim IN
        SELECT c.booking_id, c.entry_time, c.zone_id FROM gate.claims c
        WHERE c.facility_id = p_facility AND c.spot_id IS NULL
        ORDER BY c.entry_time, c.booking_id LIMIT p_looks
    LOOP
        SELECT b.* INTO v_booking FROM public.bookings b
        WHERE b.id = v_claim.booking_id AND b.entry_time = v_claim.entry_time
            AND b.status = 'ACTIVE' AND b.spot_id IS NULL
        FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        v_spot := NULL;
        -- The lane that it came through last.
        v_lane := coalesce(
            (SELECT g.lane_id FROM gate.stay_segments g
             WHERE g.booking_id = v_booking.id ORDER BY g.position DESC LIMIT 1),
            v_booking.entry_lane_id);
        FOR v_place IN
            SELECT z.zone, coalesce(s.fill_policy, 'lowest') AS fill, k.charger, k.accessible,
                gate.size_needed_v1(
                    coalesce(v.vehicle_type, f.vehicle_type_default, 'CAR')) AS size
            FROM (
                SELECT l.zone_id AS zone, l.position FROM gate.lane_zones l
                WHERE l.lane_id = v_lane
                UNION ALL
                SELECT v_claim.zone_id, NULL WHERE NOT EXISTS (
                    SELECT FROM gate.lane_zones l WHERE l.lane_id = v_lane)
            ) z
            JOIN public.zones own ON own.id = z.zone AND own.is_active
            LEFT JOIN gate.zone_settings s ON s.zone_id = z.zone
            LEFT JOIN gate.facility_settings f ON f.facility_id = p_facility
            LEFT JOIN public.vehicles v ON v.id = v_booking.vehicle_id
            CROSS JOIN LATERAL gate.spot_classes_v1(
                coalesce(v.is_electric, false), coalesce(v.has_accessible_permit, false),
                coalesce(f.ev_spots_kept, true)) classes
            CROSS JOIN LATERAL unnest(classes.chargers, classes.accessible)
                WITH ORDINALITY AS k (charger, accessible, rank)
            ORDER BY z.position, k.rank
        LOOP
            -- A subtransaction gives back what it locked and cannot have.
            BEGIN
                v_spot := gate.skip_to_spot_v1(
                    v_place.zone, v_lane, v_place.fill, v_place.size,
                    v_place.charger, v_place.accessible,
                    tstzrange(p_at, greatest(v_booking.expected_exit, p_at + interval '15 minutes')),
                    v_booking.id);
                IF v_spot IS NOT NULL THEN
                    UPDATE public.bookings b SET spot_id = v_spot, zone_id = NULL
                    WHERE b.id = v_booking.id AND b.entry_time = v_booking.entry_time;
                    UPDATE gate.stay_segments g SET spot_id = v_spot
                    WHERE g.booking_id = v_booking.id AND g.ends_at IS NULL;
                END IF;
            EXCEPTION
                -- A rival's reservation leaves the row of its spot as it was: the referee knows.
                WHEN exclusion_violation OR unique_violation THEN
                    v_spot := NULL;
            END;
            EXIT WHEN v_spot IS NOT NULL;
        END LOOP;
        CONTINUE WHEN v_spot IS NULL;
        v_seated := v_seated + 1;
        PERFORM gate.settle_over_capacity_v1(p_facility, v_booking.id, p_at, 'a spot came free');
        PERFORM gate.record_audit_v1(
            p_facility, 'stay.seated', 'booking', v_booking.id, p_at, v_booking.id,
            jsonb_strip_nulls(jsonb_build_object(
                'spot', v_spot, 'zone', v_place.zone, 'cause', p_cause)), p_actor);
    END LOOP;
    RETURN v_seated;
END
$$;
