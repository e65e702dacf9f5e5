-- Promises that the stay knows how its passage through this lane became known; whether it did not
-- before: the first report stands. A part of gate.complete_passage_v1 and gate.assume_passages_v1.
CREATE OR REPLACE FUNCTION gate.note_passage_v1(
    p_facility uuid,
    p_stay uuid,
    p_lane uuid,
    p_known text,
    p_at timestamptz,
    p_correlation uuid
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_entry_time timestamptz;
    v_status text;
    v_passed text;
BEGIN
    SELECT t.entry_time INTO v_entry_time FROM gate.tickets t WHERE t.booking_id = p_stay;

    UPDATE public.bookings b SET entry_known = p_known
    WHERE b.id = p_stay AND b.entry_time = v_entry_time AND b.facility_id = p_facility
        AND b.entry_lane_id = p_lane AND b.entry_known IS NULL AND b.status <> 'CANCELLED'
    RETURNING b.status::text INTO v_status;
    IF FOUND THEN
        v_passed := 'passage.entered';
    ELSE
        UPDATE public.bookings b SET exit_known = p_known
        WHERE b.id = p_stay AND b.entry_time = v_entry_time AND b.facility_id = p_facility
            AND b.exit_lane_id = p_lane AND b.exit_known IS NULL AND b.status = 'COMPLETED'
        RETURNING b.status::text INTO v_status;
        IF FOUND THEN
            v_passed := 'passage.left';
        ELSE
            UPDATE gate.stay_segments g SET known = p_known
            WHERE g.booking_id = p_stay AND g.lane_id = p_lane AND g.known IS NULL
                AND g.position > 1;
            IF FOUND THEN
                v_passed := 'passage.moved';
            END IF;
        END IF;
    END IF;
    IF v_passed IS NOT NULL THEN
        PERFORM gate.record_audit_v1(
            p_facility, v_passed, 'booking', p_stay, p_at, p_correlation,
            jsonb_build_object('lane', p_lane, 'known', p_known));
    END IF;
    RETURN v_passed IS NOT NULL;
END
$$;
