-- Promises, in one transaction and once for each p_passage, that a vehicle which passed without a
-- grant is accounted for: its stay opened, moved or ended (gate.free_entry_v1, gate.free_transfer_v1,
-- gate.free_exit_v1), the
-- violation opened that its kind is, the passage kept in gate.free_passages and audited.
--
-- p_passage is the message that showed it; p_kind one of 'held', 'operator', 'evacuation',
-- 'tailgating', 'forced_barrier', 'exit_without_payment', 'unexplained' (refused or not read, and
-- through all the same); the plate is null where nobody knows it; p_after is the stay in whose
-- opening it passed; p_user and p_reason are the operator's; p_known is how the passage was known:
-- 'measured', or 'assumed' where no closing loop showed it.
--
-- Outcomes: 'stay_opened', 'stay_ended', 'stay_moved', 'already_inside', 'nobody_known'; 'done_before',
-- with nothing written, and with stay and due as they were told then.
--
-- * Tailgating and a forced barrier are violations whoever it was; leaving without payment is none
--   where nothing was due. The penalty is the facility's; none listed: 0.
-- * A spot that it gives back goes to who is inside without one.
-- * Rows are locked in the order that gate.cancel_admission_v1 states; the row of the passage first.
CREATE OR REPLACE FUNCTION gate.ungranted_passage_v1(
    p_facility uuid,
    p_fence bigint,
    p_passage uuid,
    p_lane uuid,
    p_direction text,
    p_kind text,
    p_plate text,
    p_plate_raw text,
    p_confidence real,
    p_stay uuid,
    p_after uuid,
    p_at timestamptz,
    p_user uuid,
    p_reason text,
    p_known text,
    OUT outcome text,
    OUT stay uuid,
    OUT due numeric,
    OUT currency char(3)
)
LANGUAGE plpgsql AS $$
DECLARE
    v_zone uuid;
    v_spot uuid;
    v_price numeric;
    v_booking public.bookings;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    INSERT INTO gate.free_passages (
        id, facility_id, lane_id, direction, kind, passed_at, plate, plate_raw, confidence,
        after_stay, user_id, reason
    ) VALUES (
        p_passage, p_facility, p_lane, p_direction, p_kind, p_at, p_plate, p_plate_raw,
        p_confidence, p_after, p_user, nullif(p_reason, '')
    )
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        SELECT 'done_before', f.stay_id, f.due, f.currency INTO outcome, stay, due, currency
        FROM gate.free_passages f WHERE f.id = p_passage;
        RETURN;
    END IF;

    IF p_direction = 'entry' THEN
        SELECT f.outcome, f.stay, f.zone, f.spot INTO outcome, stay, v_zone, v_spot
        FROM gate.free_entry_v1(
            p_facility, p_passage, p_lane, p_kind, p_plate, p_plate_raw, p_stay, p_at,
            p_known) f;
    ELSIF p_direction = 'transfer' THEN
        SELECT f.outcome, f.stay, f.zone, f.spot INTO outcome, stay, v_zone, v_spot
        FROM gate.free_transfer_v1(
            p_facility, p_passage, p_lane, p_kind, p_plate, p_after, p_at, p_known) f;
    ELSE
        SELECT f.outcome, f.stay, f.zone, f.spot, f.due, f.currency, f.price
        INTO outcome, stay, v_zone, v_spot, due, currency, v_price
        FROM gate.free_exit_v1(
            p_facility, p_passage, p_lane, p_kind, p_plate, p_after, p_at, p_known) f;
    END IF;
    UPDATE gate.free_passages f SET
        outcome = ungranted_passage_v1.outcome, stay_id = stay, due = ungranted_passage_v1.due,
        currency = CASE WHEN ungranted_passage_v1.due IS NOT NULL
            THEN ungranted_passage_v1.currency END
    WHERE f.id = p_passage;
    IF p_kind IN ('tailgating', 'forced_barrier')
        OR p_kind = 'exit_without_payment' AND (stay IS NULL OR due IS NULL OR due > 0)
    THEN
        v_booking := gate.lock_booking_v1(p_facility, stay);
        PERFORM gate.open_violation_v1(
            gate.offence_id_v1(p_kind, p_passage::text), p_facility, p_kind, stay, v_booking.vehicle_id,
            v_booking.user_id, p_plate, jsonb_strip_nulls(jsonb_build_object(
                'passage', p_passage, 'lane', p_lane, 'direction', p_direction, 'after', p_after,
                'passed_at', gate.utc_text_v1(p_at), 'due', due::text)),
            p_at, p_passage);
    END IF;
    PERFORM gate.record_audit_v1(
        p_facility, 'passage.ungranted', CASE WHEN stay IS NULL THEN 'lane' ELSE 'booking' END,
        coalesce(stay, p_lane), p_at, p_passage,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', p_lane, 'direction', p_direction, 'kind', p_kind, 'plate', p_plate,
            'outcome', outcome, 'zone', v_zone, 'spot', v_spot, 'after', p_after,
            'price', v_price::text, 'due', due::text, 'currency', currency,
            'reason', nullif(p_reason, ''), 'fence', p_fence)),
        CASE WHEN p_user IS NULL THEN 'gated' ELSE 'operator' END, p_user);
    IF p_direction <> 'entry' AND EXISTS (
        SELECT FROM gate.claims c WHERE c.facility_id = p_facility AND c.spot_id IS NULL)
    THEN
        PERFORM gate.seat_stays_v1(p_facility, p_at, p_passage, 10);
    END IF;
END
$$;
