-- Promises that a stay whose vehicle was let in through p_from and backed out of it is the lane
-- p_lane's, and that no open command goes to p_from for it any more. A part of gate.admit_v1, which
-- holds the row of the booking.
CREATE OR REPLACE FUNCTION gate.take_over_v1(
    p_facility uuid,
    p_stay uuid,
    p_entry_time timestamptz,
    p_from uuid,
    p_lane uuid,
    p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_command gate.commands;
BEGIN
    UPDATE public.bookings b SET entry_lane_id = p_lane
    WHERE b.id = p_stay AND b.entry_time = p_entry_time;
    FOR v_command IN
        UPDATE gate.commands c SET status = 'cancelled', ended_at = p_at
        WHERE c.stay_id = p_stay AND c.facility_id = p_facility AND c.lane_id = p_from
            AND c.status = 'accepted'
        RETURNING c.*
    LOOP
        PERFORM gate.record_command_v1(v_command, p_at);
    END LOOP;
END
$$;
