-- Promises the booking of the facility that a payment is meant for: that of the ticket, and only
-- without a ticket that of the plate: its open stay, else its next reservation, else the ended stay
-- of it that owes something for the longest time. Null if there is none.
CREATE OR REPLACE FUNCTION gate.booking_to_pay_v1(p_facility uuid, p_ticket text, p_plate text)
RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- Once, and not for each row that a plan without statistics looks at.
    v_plate CONSTANT text := gate.plate_normal_v1(p_plate);
BEGIN
    IF p_ticket IS NOT NULL THEN
        RETURN (SELECT t.booking_id FROM gate.tickets t WHERE t.ticket_number = p_ticket);
    END IF;
    RETURN coalesce(
        (SELECT c.booking_id FROM gate.claims c
         WHERE c.facility_id = p_facility AND c.kind = 'stay'
             AND c.plate = v_plate),
        (SELECT c.booking_id FROM gate.claims c
         WHERE c.facility_id = p_facility AND c.kind = 'reservation'
             AND c.plate = v_plate
         ORDER BY c.entry_time LIMIT 1),
        (SELECT d.booking_id FROM gate.debts d
         WHERE d.facility_id = p_facility AND d.plate_number = v_plate
         ORDER BY d.entry_time LIMIT 1));
END
$$;
