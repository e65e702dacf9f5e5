-- Promises that the spots given out (negative) or given back (positive) are counted in the zone
-- and its facility; answers the zone's available spots. To be called last in a transaction.
--
-- Every entry and exit of a facility meets on these two rows, so they are locked at the very end,
-- always the zone first. A counter that would fall below zero has drifted: it stays at zero and
-- an operator gets a reconciliation row, because a wrong counter is no reason to turn cars away.
CREATE OR REPLACE FUNCTION gate.count_spots_v1(p_facility uuid, p_zone uuid, p_change integer)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_zone integer;
    v_facility integer;
BEGIN
    UPDATE public.zones z SET available_spots = greatest(z.available_spots + p_change, 0)
    WHERE z.id = p_zone
    RETURNING z.available_spots INTO v_zone;
    UPDATE public.facilities f SET available_spots = greatest(f.available_spots + p_change, 0)
    WHERE f.id = p_facility
    RETURNING f.available_spots INTO v_facility;

    IF p_change < 0 AND (v_zone = 0 OR v_facility < v_zone) AND EXISTS (
        SELECT FROM public.parking_spots s
        WHERE s.zone_id = p_zone AND s.is_active AND s.status = 'AVAILABLE'
    ) AND NOT EXISTS (
        SELECT FROM gate.reconciliations r
        WHERE r.facility_id = p_facility AND r.resolved_at IS NULL
            AND r.kind = 'available_spots' AND r.details ->> 'zone' = p_zone::text
    ) THEN
        INSERT INTO gate.reconciliations (facility_id, kind, details)
        VALUES (p_facility, 'available_spots', jsonb_build_object(
            'zone', p_zone, 'zone_available', v_zone, 'facility_available', v_facility));
    END IF;
    RETURN v_zone;
END
$$;
