-- Promises an open stay ended by the policy of its facility, if it is due by that when its row is
-- locked: as gate.end_unseen_v1 says, never with a debt. Audited as the policy.
--
-- Outcomes: 'closed'; with nothing written 'stay_ended' (an exit that was under way wins) and
-- 'not_due'.
CREATE OR REPLACE FUNCTION gate.close_phantom_v1(
    p_facility uuid, p_stay uuid, p_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_settings gate.facility_settings;
    v_booking public.bookings;
BEGIN
    v_booking := gate.lock_booking_v1(p_facility, p_stay);
    IF v_booking.status IS DISTINCT FROM 'ACTIVE' THEN
        RETURN CASE WHEN EXISTS (SELECT FROM gate.stay_closed_v1(p_stay, p_stay)) THEN 'closed'
            ELSE 'stay_ended' END;
    END IF;
    SELECT f.* INTO v_settings FROM gate.facility_settings f WHERE f.facility_id = p_facility;
    IF v_settings.phantom_policy <> 'close_after_days' OR NOT EXISTS (
        SELECT FROM gate.judge_stays_v1(
            p_facility, p_at, v_settings.phantom_close_days, p_stay) j
        WHERE j.strength <> 'contradicted'
            AND j.seen_at <= p_at - make_interval(days => v_settings.phantom_close_days))
    THEN
        RETURN 'not_due';
    END IF;
    PERFORM gate.end_unseen_v1(
        v_booking, p_at, v_settings.phantom_close_days,
        format('no sign of it for %s days', v_settings.phantom_close_days), false, p_stay,
        'policy close_after_days', NULL);
    RETURN 'closed';
END
$$;
