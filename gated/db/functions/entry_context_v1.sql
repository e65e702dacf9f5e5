-- Promises what a stay's price depends on that is known at its entry alone: how full the facility
-- is, in percent, where a rule in force asks for it.
CREATE OR REPLACE FUNCTION gate.entry_context_v1(p_facility uuid, p_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_spots record;
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.pricing_rules r
        WHERE r.facility_id = p_facility AND r.valid_from <= p_at
            AND (r.valid_until IS NULL OR p_at < r.valid_until) AND r.config ? 'occupancy')
    THEN
        RETURN '{}';
    END IF;
    SELECT f.total_spots + coalesce(sum(c.total), 0) AS total,
        f.available_spots + coalesce(sum(c.available), 0) AS available
    INTO v_spots
    FROM public.facilities f LEFT JOIN gate.spot_changes c ON c.facility_id = f.id
    WHERE f.id = p_facility GROUP BY f.id;
    RETURN jsonb_build_object('occupancy_percent',
        coalesce(round(100 - 100.0 * v_spots.available / nullif(v_spots.total, 0), 2), 0));
END
$$;
