-- Promises that a stay whose vehicle left in an evacuation without being counted has ended when that
-- began, p_from, and is audited with user and reason. It costs nothing, as for those that were seen
-- leaving; with p_charged what its time up to p_from costs. Should its vehicle turn up at an exit all
-- the same, it is let out as if the stay had not ended (bookings.closed_reason).
--
-- Outcomes: 'settled'; with nothing written 'booking_unknown', 'booking_ended', 'came_later' (it was
-- not inside then), 'seen_since' (inside, after the evacuation began), 'reason_missing'.
CREATE OR REPLACE FUNCTION gate.settle_unseen_v1(
    p_facility uuid,
    p_booking uuid,
    p_from timestamptz,
    p_charged boolean,
    p_reason text,
    p_at timestamptz,
    p_actor text DEFAULT 'operator',
    p_user uuid DEFAULT NULL,
    OUT outcome text,
    OUT due numeric,
    OUT currency char(3)
)
LANGUAGE plpgsql AS $$
DECLARE
    v_booking public.bookings;
    v_seen record;
    v_ended record;
BEGIN
    v_booking := gate.lock_booking_v1(p_facility, p_booking);
    SELECT s.at INTO v_seen FROM gate.last_seen_v1(v_booking, 'infinity', true) s;
    outcome := CASE
        WHEN (p_reason ~ '\S') IS NOT TRUE THEN 'reason_missing'
        WHEN v_booking.id IS NULL THEN 'booking_unknown'
        WHEN v_booking.status <> 'ACTIVE' THEN 'booking_ended'
        WHEN v_booking.entry_time >= p_from THEN 'came_later'
        WHEN v_seen.at >= p_from THEN 'seen_since'
        ELSE 'settled' END;
    IF outcome <> 'settled' THEN
        RETURN;
    END IF;
    SELECT e.* INTO v_ended
    FROM gate.end_stay_v1(
        v_booking, p_from, NULL, 'assumed', CASE WHEN NOT p_charged THEN 'evacuation' END) e;
    UPDATE public.bookings b SET closed_reason = p_reason
    WHERE b.id = p_booking AND b.entry_time = v_booking.entry_time;
    due := v_ended.due;
    currency := v_ended.currency;
    PERFORM gate.record_audit_v1(
        p_facility, 'stay.settled', 'booking', p_booking, p_at, p_booking,
        jsonb_strip_nulls(jsonb_build_object(
            'reason', p_reason, 'left_at', gate.utc_text_v1(p_from),
            'seen_at', gate.utc_text_v1(v_seen.at), 'spot', v_booking.spot_id,
            'price', v_ended.price::text, 'due', due::text, 'currency', currency,
            'error', v_ended.fault)),
        p_actor, p_user);
END
$$;
