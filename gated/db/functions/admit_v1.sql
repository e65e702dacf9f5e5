-- Promises, in one transaction: the event decided, a spot of the zone locked and claimed, the stay
-- open, the spot and the counters moved, decision and audit written, the open command accepted.
--
-- Outcomes: 'admitted'; 'zone_full' and 'already_inside', with nothing written, so that the event
-- may still be decided otherwise; 'event_done', with nothing written, when it was decided before.
--
-- * The referees claims_stay_plate_key and claims_spot_excl may refuse what the looks before them
--   allowed, to a rival's profit: their names are outcomes too (gated.db.errors).
-- * A call repeated with the same command id after a lost answer gets the first one's answer.
-- * A plate with an open stay that was let in through this lane in the last 15 minutes and not seen
--   passing since is the same vehicle, still there: its stay stands and gets a new decision and a
--   new command. Past that time nobody knows what became of the vehicle: 'already_inside'.
CREATE OR REPLACE FUNCTION gate.admit_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_zone uuid,
    p_stay uuid,
    p_plate text,
    p_plate_raw text,
    p_confidence real,
    p_at timestamptz,
    p_reason text,
    p_vehicle uuid,
    p_user uuid,
    p_command uuid,
    p_device uuid,
    p_do text,
    p_command_reason text,
    p_issued_at timestamptz,
    p_expires_at timestamptz,
    p_taken boolean
) RETURNS TABLE (
    outcome text, available integer, stay uuid, spot uuid, spot_number text, ticket text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_claim gate.claims;
    v_zone uuid := p_zone;
    v_kept boolean := false;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;

    IF v_event.status <> 'new' THEN
        outcome := 'event_done';
        SELECT 'admitted', d.zone_id, d.stay_id, d.spot_id, s.spot_number, t.ticket_number
        INTO outcome, v_zone, stay, spot, spot_number, ticket
        FROM gate.commands c
        JOIN gate.decisions d ON d.event_id = c.event_id AND d.decided_at = p_at
        JOIN public.parking_spots s ON s.id = d.spot_id
        JOIN gate.tickets t ON t.booking_id = d.stay_id
        WHERE c.id = p_command AND c.facility_id = p_facility AND c.event_id = p_event;
        outcome := coalesce(outcome, 'event_done');
        SELECT z.available_spots INTO available
        FROM public.zones z WHERE z.id = coalesce(v_zone, p_zone);
        RETURN NEXT;
        RETURN;
    END IF;

    SELECT c.* INTO v_claim FROM gate.claims c
    WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';
    IF FOUND THEN
        SELECT b.id, s.id, s.spot_number, b.ticket_number INTO stay, spot, spot_number, ticket
        FROM public.bookings b JOIN public.parking_spots s ON s.id = v_claim.spot_id
        WHERE b.id = v_claim.booking_id AND b.entry_time = v_claim.entry_time
            AND b.status = 'ACTIVE' AND b.entry_lane_id = p_lane AND b.entry_known IS NULL
            AND b.entry_time > p_at - interval '15 minutes'
        FOR NO KEY UPDATE OF b;
        v_kept := FOUND;
        IF NOT v_kept THEN
            outcome := 'already_inside';
            SELECT z.available_spots INTO available FROM public.zones z WHERE z.id = p_zone;
            RETURN NEXT;
            RETURN;
        END IF;
        v_zone := v_claim.zone_id;
    ELSE
        spot := gate.lock_free_spot_v1(p_zone, p_at);
        IF spot IS NULL THEN
            outcome := 'zone_full';
            SELECT z.available_spots INTO available FROM public.zones z WHERE z.id = p_zone;
            RETURN NEXT;
            RETURN;
        END IF;
        stay := p_stay;
        INSERT INTO gate.claims (
            id, facility_id, zone_id, spot_id, booking_id, entry_time, kind, plate, during
        ) VALUES (
            p_stay, p_facility, p_zone, spot, p_stay, p_at, 'stay', p_plate, tstzrange(p_at, NULL)
        );
        INSERT INTO public.bookings (
            id, user_id, vehicle_id, spot_id, facility_id, booking_type, status, entry_time,
            plate_number, plate_raw, currency, pricing_rule_id, entry_lane_id
        ) VALUES (
            p_stay, p_user, p_vehicle, spot, p_facility, 'WALK_IN', 'ACTIVE', p_at,
            p_plate, p_plate_raw,
            (SELECT f.currency FROM gate.facility_settings f WHERE f.facility_id = p_facility),
            gate.rule_in_force_v1(p_facility, p_at), p_lane
        ) RETURNING bookings.ticket_number INTO ticket;
        UPDATE public.parking_spots s SET status = 'OCCUPIED', current_booking = p_stay
        WHERE s.id = spot
        RETURNING s.spot_number INTO spot_number;
    END IF;

    PERFORM gate.record_audit_v1(
        p_facility, CASE WHEN v_kept THEN 'stay.readmitted' ELSE 'stay.admitted' END,
        'booking', stay, p_at, p_event,
        jsonb_build_object(
            'lane', p_lane, 'zone', v_zone, 'spot', spot, 'spot_number', spot_number,
            'reason', p_reason, 'command', p_command, 'fence', p_fence));
    PERFORM gate.record_decision_v1(
        p_facility, p_fence, p_event, v_event.received_at, p_lane, 'grant', p_reason,
        p_plate, p_plate_raw, p_confidence, stay, v_zone, spot, NULL, NULL, p_at,
        p_command, p_device, p_do, p_command_reason, p_issued_at, p_expires_at,
        p_taken);

    outcome := 'admitted';
    IF v_kept THEN
        SELECT z.available_spots INTO available FROM public.zones z WHERE z.id = v_zone;
    ELSE
        available := gate.count_spots_v1(p_facility, v_zone, -1);
    END IF;
    RETURN NEXT;
END
$$;
