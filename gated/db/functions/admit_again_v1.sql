-- Promises what gate.admit_v1 does for a plate whose stay nobody saw ending: that one ended
-- (gate.end_passback_v1) and the new one open; or an outcome with nothing written. A part of
-- gate.admit_v1.
CREATE OR REPLACE FUNCTION gate.admit_again_v1(
    p_facility uuid,
    p_way text,
    p_old uuid,
    p_event uuid,
    p_stay uuid,
    p_lane uuid,
    p_zone uuid,
    p_plate text,
    p_plate_raw text,
    p_at timestamptz,
    p_vehicle uuid,
    p_user uuid,
    p_entitlement text,
    p_booking uuid,
    p_subscription uuid,
    OUT outcome text,
    OUT stay uuid,
    OUT spot uuid,
    OUT spot_number text,
    OUT ticket text,
    OUT waited_ms real
)
LANGUAGE plpgsql AS $$
DECLARE
    v_old public.bookings;
    v_since CONSTANT timestamptz := clock_timestamp();
    v_old_ms real;
BEGIN
    v_old := gate.lock_booking_v1(p_facility, p_old);
    v_old_ms := gate.ms_since_v1(v_since);
    -- A subtransaction: where the zone has no spot, nothing of this has happened.
    BEGIN
        -- It may have left while we waited for its row.
        IF v_old.status = 'ACTIVE' THEN
            PERFORM gate.end_passback_v1(v_old, p_way, p_event, p_lane, p_plate, p_at);
        END IF;
        IF p_booking IS NOT NULL THEN
            SELECT a.* INTO outcome, stay, spot, spot_number, ticket, waited_ms
            FROM gate.admit_booking_v1(
                p_facility, p_booking, p_lane, p_zone, p_plate, p_plate_raw, p_at, p_vehicle) a;
        ELSE
            SELECT a.* INTO outcome, stay, spot, spot_number, ticket, waited_ms
            FROM gate.admit_walk_in_v1(
                p_facility, p_stay, p_lane, p_zone, p_plate, p_plate_raw, p_at, p_vehicle, p_user,
                p_entitlement, p_subscription) a;
        END IF;
        IF outcome <> 'admitted' THEN
            RAISE EXCEPTION 'the vehicle stays outside' USING ERRCODE = 'GT021';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'GT021' THEN
            NULL;
    END;
    waited_ms := v_old_ms + waited_ms;
END
$$;
