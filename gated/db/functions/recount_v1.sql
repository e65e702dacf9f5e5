-- Promises that the counters of the facility and its zones say what its spots are; answers how
-- many zones were wrong. Waits for those who count, and they do not wait for it.
--
-- What is left uncounted goes in the same statement as the spots are counted: both see one state.
CREATE OR REPLACE FUNCTION gate.recount_v1(p_facility uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_wrong integer;
BEGIN
    PERFORM FROM public.facilities f WHERE f.id = p_facility FOR NO KEY UPDATE;
    PERFORM FROM public.zones z WHERE z.facility_id = p_facility ORDER BY z.id FOR NO KEY UPDATE;
    WITH gone AS (
        DELETE FROM gate.spot_changes c WHERE c.facility_id = p_facility
        RETURNING c.zone_id, c.total, c.available
    ), counted AS MATERIALIZED (
        SELECT z.id,
            count(*) FILTER (WHERE s.is_active)::integer AS total,
            count(*) FILTER (WHERE s.is_active AND s.status = 'AVAILABLE')::integer AS available
        FROM public.zones z LEFT JOIN public.parking_spots s ON s.zone_id = z.id
        WHERE z.facility_id = p_facility
        GROUP BY z.id
    ), wrong AS MATERIALIZED (
        SELECT c.* FROM counted c JOIN public.zones z ON z.id = c.id
        WHERE (z.total_spots, z.available_spots) IS DISTINCT FROM (c.total, c.available)
    ), zones AS (
        UPDATE public.zones z SET total_spots = w.total, available_spots = w.available
        FROM wrong w WHERE z.id = w.id
    ), facility AS (
        UPDATE public.facilities f SET total_spots = c.total, available_spots = c.available
        FROM (SELECT coalesce(sum(total), 0)::integer AS total,
                  coalesce(sum(available), 0)::integer AS available FROM counted) c
        WHERE f.id = p_facility
            AND (f.total_spots, f.available_spots) IS DISTINCT FROM (c.total, c.available)
    )
    SELECT count(*) INTO v_wrong FROM wrong;
    RETURN v_wrong;
END
$$;
