-- Promises whether a payment that was told before, by this id or by this transaction of the
-- provider, was something else then: for another stay than the ticket or, without one, the plate
-- names, at another facility, or of another amount, currency or transaction. False for one that is
-- new. One that somebody wrote down as under way or as failed has no amount yet that must hold.
CREATE OR REPLACE FUNCTION gate.told_differently_v1(
    p_facility uuid,
    p_payment uuid,
    p_ticket text,
    p_plate text,
    p_amount numeric,
    p_currency text,
    p_provider text,
    p_txn text
) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_plate CONSTANT text := gate.plate_normal_v1(p_plate);
    v_told record;
    v_ticket text;
    v_entry_time timestamptz;
    v_booking record;
BEGIN
    -- More than one if the id is that of one payment and the transaction that of another.
    FOR v_told IN
        SELECT p.booking_id, p.amount, p.currency::text, p.provider::text, p.provider_txn_id AS txn,
            p.status IN ('PENDING', 'FAILED') AS unfinished
        FROM public.payments p
        WHERE (p.id = p_payment
                OR (p.provider::text, p.provider_txn_id) = (p_provider, p_txn))
            AND (p.booking_id IS NOT NULL OR p.status NOT IN ('PENDING', 'FAILED'))
    LOOP
        IF NOT v_told.unfinished
            AND ((v_told.amount, v_told.currency) IS DISTINCT FROM (p_amount, p_currency)
                OR (v_told.provider, v_told.txn) <> (p_provider, p_txn))
        THEN
            RETURN true;
        END IF;
        -- First its month, so that one partition is looked into.
        SELECT t.ticket_number, t.entry_time INTO v_ticket, v_entry_time
        FROM gate.tickets t WHERE t.booking_id = v_told.booking_id;
        SELECT b.plate_number AS plate INTO v_booking
        FROM public.bookings b
        WHERE b.id = v_told.booking_id AND b.entry_time = v_entry_time
            AND b.facility_id = p_facility;
        IF NOT FOUND OR NOT coalesce(
            CASE WHEN p_ticket IS NOT NULL THEN v_ticket = p_ticket
                WHEN v_plate IS NOT NULL THEN v_booking.plate = v_plate
                ELSE true END, false)
        THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
