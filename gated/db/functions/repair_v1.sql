-- Promises that claims are those of the bookings, spots those of the claims, and counters those of
-- the spots, in this order, since each follows from the one before; what was found wrong is in an
-- audit row per facility. Answers what gate.verify_v1 found before. What it cannot mend (money,
-- entries, and two bookings that hold one spot) stays as it is: an operator has to decide.
CREATE OR REPLACE FUNCTION gate.repair_v1(p_facility uuid, p_at timestamptz, p_actor text)
RETURNS TABLE (
    kind text, facility uuid, subject uuid, field text, stated text, counted text, mended boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    v_found jsonb;
    v_wrong record;
    v_booking public.bookings;
BEGIN
    -- Nobody changes the facility's bookings or spots while it is mended.
    PERFORM FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
    WHERE z.facility_id = p_facility ORDER BY s.id FOR NO KEY UPDATE OF s;
    SELECT coalesce(jsonb_agg(to_jsonb(v)), '[]') INTO v_found
    FROM gate.verify_v1(p_facility) v;
    IF v_found = '[]' THEN
        RETURN;
    END IF;

    FOR v_wrong IN SELECT w.subject FROM jsonb_to_recordset(v_found) AS w (kind text, subject uuid)
        WHERE w.kind = 'claims'
    LOOP
        DELETE FROM gate.claims c WHERE c.booking_id = v_wrong.subject;
    END LOOP;
    FOR v_booking IN
        SELECT b.* FROM jsonb_to_recordset(v_found) AS w (kind text, subject uuid)
        JOIN gate.tickets t ON t.booking_id = w.subject
        JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
        WHERE w.kind = 'claims' AND gate.holds_spot(b)
    LOOP
        BEGIN
            PERFORM gate.put_claim(v_booking);
        EXCEPTION
            WHEN exclusion_violation OR unique_violation OR check_violation THEN
                CONTINUE;
        END;
    END LOOP;
    UPDATE public.parking_spots s SET
        status = CASE WHEN s.status = 'MAINTENANCE' THEN s.status
            WHEN c.stay IS NOT NULL THEN 'OCCUPIED'
            WHEN c.held IS NOT NULL THEN 'RESERVED' ELSE 'AVAILABLE' END,
        current_booking = coalesce(c.stay, c.held)
    FROM jsonb_to_recordset(v_found) AS w (kind text, subject uuid)
    CROSS JOIN LATERAL (
        SELECT
            (SELECT k.booking_id FROM gate.claims k
             WHERE k.spot_id = w.subject AND k.kind = 'stay') AS stay,
            (SELECT k.booking_id FROM gate.claims k JOIN public.parking_spots own ON own.id = k.spot_id
             WHERE k.spot_id = w.subject AND k.kind = 'reservation'
                 AND k.booking_id = own.current_booking) AS held
    ) c
    WHERE w.kind = 'spots' AND s.id = w.subject;
    PERFORM gate.recount_v1(p_facility);

    PERFORM gate.record_audit_v1(
        p_facility, 'database.repaired', 'facility', p_facility, p_at, NULL,
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
