-- Promises, in one transaction: the event decided, a spot of the zone locked and claimed, the stay
-- open, the right that covers it used, decision and audit written, the open command accepted.
--
-- Outcomes: 'admitted'; with nothing written, so that the event may still be decided otherwise,
-- 'zone_closed', 'already_inside', the refusals of gate.limit_refusal_v1 and gate.lock_spot_v1, and
-- those of the right:
-- 'right_used_up', 'right_expired', 'booking_not_open', 'booking_not_due'; 'event_done', with
-- nothing written, when the event was decided before. Raises GT004 for a zone of another facility.
--
-- * p_booking: the reservation that the vehicle comes with becomes the stay, on its own spot, or
--   on another where somebody still stands there. p_subscription: an entry is taken from it.
-- * The referees of gate.claims may refuse what the looks before them allowed, to a rival's
--   profit: their names are outcomes too (gated.db.errors).
-- * A call repeated with the same command id after a lost answer gets the first one's answer.
-- * p_facts: what the verdict rests on, kept with it; and how long the fence and the locks of booking
--   and spot were waited for.
-- * p_again: nothing was reported anew; it is decided once more on this message, under the id p_event
--   (gate.keep_again_v1).
-- * p_plate null: a vehicle without a readable plate comes in on a ticket. p_stay is then the stay
--   that it was granted before, if it was, so that it never gets two of them.
-- * A plate with an open stay that was let in through this lane in the last 15 minutes and not seen
--   passing since is the same vehicle, still there: its stay stands and gets a new decision and a
--   new command. So is one that was let in through p_vacated, the entry that its vehicle has backed
--   out of (gate.take_over_v1): the stay is then this lane's, which alone completes or undoes it.
--   Any other plate with an open stay came in twice, or left unseen: 'already_inside',
--   where the facility's anti-passback is hard; where it is soft, or was reset since that stay began,
--   that stay ends and a new one begins (gate.end_passback_v1).
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
    p_taken boolean,
    p_entitlement text,
    p_booking uuid,
    p_subscription uuid,
    p_text text DEFAULT NULL,
    p_facts jsonb DEFAULT NULL,
    p_vacated uuid DEFAULT NULL,
    p_again uuid DEFAULT NULL
) RETURNS TABLE (
    outcome text, available integer, stay uuid, spot uuid, spot_number text, ticket text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_claim gate.claims;
    v_zone uuid := p_zone;
    v_kept boolean := false;
    v_lane uuid;
    v_way text;
    v_began CONSTANT timestamptz := clock_timestamp();
    v_fence_ms real;
    v_lock_ms real;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    v_fence_ms := gate.ms_since_v1(v_began);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at, p_again) e;

    IF v_event.status <> 'new' THEN
        SELECT 'admitted', d.zone_id, d.stay_id, d.spot_id, s.spot_number, t.ticket_number
        INTO outcome, v_zone, stay, spot, spot_number, ticket
        FROM gate.commands c
        JOIN gate.decisions d ON d.event_id = c.event_id AND d.decided_at = p_at
        JOIN public.parking_spots s ON s.id = d.spot_id
        JOIN gate.tickets t ON t.booking_id = d.stay_id
        WHERE c.id = p_command AND c.facility_id = p_facility AND c.event_id = p_event;
        outcome := coalesce(outcome, 'event_done');
        available := gate.zone_available_v1(coalesce(v_zone, p_zone));
        RETURN NEXT;
        RETURN;
    END IF;

    IF p_plate IS NOT NULL THEN
        SELECT c.* INTO v_claim FROM gate.claims c
        WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';
    ELSE
        SELECT c.* INTO v_claim FROM gate.claims c
        WHERE c.booking_id = p_stay AND c.facility_id = p_facility AND c.kind = 'stay'
            AND c.plate IS NULL;
    END IF;
    IF FOUND THEN
        SELECT b.id, s.id, s.spot_number, b.ticket_number, b.entry_lane_id
        INTO stay, spot, spot_number, ticket, v_lane
        FROM public.bookings b JOIN public.parking_spots s ON s.id = v_claim.spot_id
        WHERE b.id = v_claim.booking_id AND b.entry_time = v_claim.entry_time
            AND b.status = 'ACTIVE' AND b.entry_lane_id IN (p_lane, p_vacated) AND b.entry_known IS NULL
            AND b.entry_time > p_at - interval '15 minutes'
        FOR NO KEY UPDATE OF b;
        v_kept := FOUND;
        SELECT CASE WHEN v_claim.entry_time < s.passback_reset_at THEN 'reset'
            ELSE s.anti_passback END
        INTO v_way FROM gate.facility_settings s WHERE s.facility_id = p_facility;
        IF v_kept THEN
            outcome := 'admitted';
            v_zone := v_claim.zone_id;
            IF v_lane <> p_lane THEN
                PERFORM gate.take_over_v1(p_facility, stay, v_claim.entry_time, v_lane, p_lane, p_at);
            END IF;
        ELSIF p_plate IS NOT NULL AND v_way IN ('soft', 'reset') THEN
            SELECT a.* INTO outcome, stay, spot, spot_number, ticket, v_lock_ms
            FROM gate.admit_again_v1(
                p_facility, v_way, v_claim.booking_id, p_event, p_stay, p_lane, p_zone, p_plate,
                p_plate_raw, p_at, p_vehicle, p_user, p_entitlement, p_booking, p_subscription) a;
        ELSE
            outcome := 'already_inside';
        END IF;
    ELSIF p_plate IS NULL AND EXISTS (SELECT FROM gate.tickets t WHERE t.booking_id = p_stay) THEN
        -- The stay that it was granted before was ended by somebody.
        outcome := 'already_inside';
    ELSE
        -- As gate.parker_group tells it of the booking that this makes.
        outcome := gate.limit_refusal_v1(
            p_facility, p_zone,
            CASE WHEN p_booking IS NOT NULL THEN 'reservation'
                WHEN p_entitlement IS NOT NULL OR p_vehicle IS NOT NULL THEN 'permit_holder'
                ELSE 'transient' END,
            p_at);
        IF outcome IS NULL AND p_booking IS NOT NULL THEN
            SELECT a.* INTO outcome, stay, spot, spot_number, ticket, v_lock_ms
            FROM gate.admit_booking_v1(
                p_facility, p_booking, p_lane, p_zone, p_plate, p_plate_raw, p_at, p_vehicle) a;
        ELSIF outcome IS NULL THEN
            SELECT a.* INTO outcome, stay, spot, spot_number, ticket, v_lock_ms
            FROM gate.admit_walk_in_v1(
                p_facility, p_stay, p_lane, p_zone, p_plate, p_plate_raw, p_at, p_vehicle, p_user,
                p_entitlement, p_subscription) a;
        END IF;
    END IF;

    IF outcome = 'admitted' THEN
        PERFORM gate.record_audit_v1(
            p_facility, CASE WHEN v_kept THEN 'stay.readmitted' ELSE 'stay.admitted' END,
            'booking', stay, p_at, p_event,
            jsonb_strip_nulls(jsonb_build_object(
                'lane', p_lane, 'lane_before', NULLIF(v_lane, p_lane), 'zone', v_zone, 'spot', spot, 'spot_number', spot_number,
                'reason', p_reason, 'entitlement', p_entitlement, 'subscription', p_subscription,
                'command', p_command, 'fence', p_fence)));
        PERFORM gate.keep_again_v1(p_facility, p_event, p_again, p_at);
        PERFORM gate.record_decision_v1(
            p_facility, p_fence, p_event, v_event.received_at, p_lane, 'grant', p_reason,
            p_plate, p_plate_raw, p_confidence, stay, v_zone, spot, NULL, NULL, p_at,
            p_command, p_device, p_do, p_command_reason, p_issued_at, p_expires_at,
            p_taken, p_text, p_facts, v_fence_ms, v_lock_ms);
    END IF;
    available := gate.zone_available_v1(v_zone);
    RETURN NEXT;
END
$$;
