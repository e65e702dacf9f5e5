-- Promises how many more stays of each group the limits that hold at p_at let into the zone, and
-- into its facility (zone is null), never less than none, and of how many; of groups without a limit
-- no row.
CREATE OR REPLACE FUNCTION gate.group_rooms_v1(p_facility uuid, p_zone uuid, p_at timestamptz)
RETURNS TABLE (zone_id uuid, parker_group text, room integer, stays_max integer)
LANGUAGE sql STABLE AS $$
    SELECT l.zone_id, l.parker_group, greatest(l.stays_max - (
        SELECT count(*) FROM gate.claims c
        WHERE c.facility_id = p_facility AND c.kind = 'stay' AND c.parker_group = l.parker_group
            AND (l.zone_id IS NULL OR c.zone_id = l.zone_id)), 0)::integer,
        l.stays_max
    FROM gate.limits_in_force_v1(p_facility, p_at, p_zone) l
$$;
