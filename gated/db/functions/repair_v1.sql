-- Promises that the directory and the claims are those of the bookings, spots those of the claims,
-- and counters those of the spots, in this order, since each follows from the one before; what was
-- found wrong is in an audit row per facility. Answers what gate.verify_v1 found before. What it
-- cannot mend (money, entries, and two bookings that hold one spot) stays as it is: an operator has
-- to decide.
CREATE OR REPLACE FUNCTION gate.repair_v1(p_facility uuid, p_at timestamptz, p_actor text)
RETURNS TABLE (
    kind text, facility uuid, subject uuid, field text, stated text, counted text, mended boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    v_found jsonb;
    v_booking public.bookings;
BEGIN
    -- Nobody changes the facility's spots while it is mended. Who changes one may hold the counters
    -- and want another spot: the counters come first.
    PERFORM FROM public.facilities f WHERE f.id = p_facility FOR NO KEY UPDATE;
    PERFORM FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
    WHERE z.facility_id = p_facility ORDER BY s.id FOR NO KEY UPDATE OF s;
    SELECT coalesce(jsonb_agg(to_jsonb(v)), '[]') INTO v_found
    FROM gate.verify_v1(p_facility) v;
    IF v_found = '[]' THEN
        RETURN;
    END IF;

    INSERT INTO gate.tickets AS t (ticket_number, booking_id, entry_time)
    SELECT b.ticket_number, b.id, b.entry_time
    FROM jsonb_to_recordset(v_found) AS w (kind text, subject uuid)
    JOIN public.bookings b ON b.id = w.subject
    WHERE w.kind = 'directory'
    ON CONFLICT ON CONSTRAINT tickets_booking_key DO UPDATE SET
        ticket_number = excluded.ticket_number, entry_time = excluded.entry_time;
    DELETE FROM gate.claims c
    USING jsonb_to_recordset(v_found) AS w (kind text, subject uuid)
    WHERE w.kind = 'claims' AND c.booking_id = w.subject;
    FOR v_booking IN
        SELECT b.* FROM jsonb_to_recordset(v_found) AS w (kind text, subject uuid)
        JOIN gate.tickets t ON t.booking_id = w.subject
        JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        WHERE w.kind = 'claims' AND gate.has_claim(b)
    LOOP
        BEGIN
            PERFORM gate.put_claim(v_booking);
        EXCEPTION
            WHEN exclusion_violation OR unique_violation OR check_violation THEN
                CONTINUE;
        END;
    END LOOP;
    -- All spots, for the state of one may have been true of a claim that was wrong.
    UPDATE public.parking_spots s SET
        status = CASE WHEN s.status = 'MAINTENANCE' THEN s.status ELSE c.status END,
        current_booking = c.booking
    FROM public.zones z, public.parking_spots own
    LEFT JOIN gate.claims stay ON stay.spot_id = own.id AND stay.kind = 'stay'
    LEFT JOIN gate.claims held
        ON held.spot_id = own.id AND held.kind = 'reservation'
        AND held.booking_id = own.current_booking
    CROSS JOIN LATERAL (
        SELECT coalesce(stay.booking_id, held.booking_id) AS booking,
            (CASE WHEN stay.booking_id IS NOT NULL THEN 'OCCUPIED'
                WHEN held.booking_id IS NOT NULL THEN 'RESERVED'
                ELSE 'AVAILABLE' END)::public.spot_status AS status
    ) c
    WHERE own.id = s.id AND z.id = s.zone_id AND z.facility_id = p_facility
        AND (s.current_booking IS DISTINCT FROM c.booking
            OR s.status NOT IN ('MAINTENANCE', c.status));
    PERFORM gate.recount_v1(p_facility);

    PERFORM gate.record_audit_v1(
        p_facility, 'database.repaired', 'facility', p_facility, p_at, gen_random_uuid(),
        jsonb_build_object('found', v_found), p_actor);
    RETURN QUERY
        SELECT w.kind, w.facility, w.subject, w.field, w.stated, w.counted,
            NOT EXISTS (
                SELECT FROM gate.verify_v1(p_facility) v
                WHERE (v.kind, v.subject, v.field) = (w.kind, w.subject, w.field))
        FROM jsonb_to_recordset(v_found) AS w (
            kind text, facility uuid, subject uuid, field text, stated text, counted text);
END
$$;
