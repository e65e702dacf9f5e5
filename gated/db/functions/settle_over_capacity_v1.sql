-- Promises that nobody is asked any more where a vehicle without a spot stands: it left, or has one.
CREATE OR REPLACE FUNCTION gate.settle_over_capacity_v1(
    p_facility uuid, p_stay uuid, p_at timestamptz, p_resolution text
) RETURNS void
LANGUAGE sql AS $$
    UPDATE gate.reconciliations r SET resolved_at = greatest(p_at, r.created_at), resolution = p_resolution
    WHERE r.facility_id = p_facility AND r.resolved_at IS NULL AND r.kind = 'over_capacity'
        AND r.details ->> 'stay' = p_stay::text
$$;
