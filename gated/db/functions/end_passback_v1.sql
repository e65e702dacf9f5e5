-- Promises that a stay whose vehicle nobody saw leaving, and that is at the entrance again, has ended:
-- at the last instant at which it is known to have been inside, and priced up to that. What nobody
-- saw is not charged. The row of the booking is locked by the caller.
--
-- p_way 'soft': a violation 'passback' is opened, at the facility's penalty, and a reconciliation
-- waits for the operator, with what the stay would cost up to now. 'reset': neither, for many left
-- uncounted.
CREATE OR REPLACE FUNCTION gate.end_passback_v1(
    p_booking public.bookings,
    p_way text,
    p_event uuid,
    p_lane uuid,
    p_plate text,
    p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_seen record;
    v_until_now numeric;
    v_ended record;
    v_details jsonb;
BEGIN
    SELECT s.at, s.what, s.lane INTO v_seen FROM gate.last_seen_v1(p_booking, p_at, true) s;
    SELECT p.amount INTO v_until_now
    FROM gate.try_price_v1(
        p_booking.facility_id, p_booking.entry_time, greatest(p_at, p_booking.entry_time),
        gate.stay_context_v1(p_booking)) p;
    SELECT e.* INTO v_ended FROM gate.end_stay_v1(p_booking, v_seen.at, NULL, 'assumed', NULL) e;
    v_details := jsonb_strip_nulls(jsonb_build_object(
        'way', p_way, 'lane', p_lane, 'plate', p_plate, 'stay', p_booking.id,
        'seen_at', gate.utc_text_v1(v_seen.at), 'seen', v_seen.what,
        'returned_at', gate.utc_text_v1(p_at), 'price', v_ended.price::text,
        'due', v_ended.due::text, 'price_until_return', v_until_now::text,
        'currency', v_ended.currency, 'error', v_ended.fault));
    PERFORM gate.record_audit_v1(
        p_booking.facility_id, 'stay.left_unseen', 'booking', p_booking.id, p_at,
        p_booking.id, v_details || jsonb_build_object('event', p_event));
    IF p_way = 'soft' THEN
        INSERT INTO gate.reconciliations (facility_id, kind, details, created_at)
        VALUES (p_booking.facility_id, 'passback', v_details || jsonb_build_object(
            'event', p_event), p_at);
        PERFORM gate.open_passback_v1(p_booking, p_event, p_lane, p_plate, p_at);
    END IF;
END
$$;
