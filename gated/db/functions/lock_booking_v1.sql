-- Promises the facility's booking with its row locked until the transaction ends; a row of nulls
-- if there is none.
--
-- The directory says in which month it stands, so that one partition is looked into. One that moves
-- to another month meanwhile is followed.
CREATE OR REPLACE FUNCTION gate.lock_booking_v1(p_facility uuid, p_booking uuid)
RETURNS public.bookings
LANGUAGE plpgsql AS $$
DECLARE
    v_entry_time timestamptz;
    v_seen timestamptz;
    v_booking public.bookings;
BEGIN
    LOOP
        SELECT t.entry_time INTO v_entry_time FROM gate.tickets t WHERE t.booking_id = p_booking;
        IF NOT FOUND OR v_entry_time = v_seen THEN
            RETURN NULL;
        END IF;
        SELECT b.* INTO v_booking FROM public.bookings b
        WHERE b.id = p_booking AND b.entry_time = v_entry_time AND b.facility_id = p_facility
        FOR NO KEY UPDATE;
        IF FOUND THEN
            RETURN v_booking;
        END IF;
        v_seen := v_entry_time;
    END LOOP;
END
$$;
