-- Promises the parts in which a stay that ends at p_until is priced, each with the context of its
-- price, see gate.price_stay_v1: one part, unless the stay moved between zones of which different
-- rules are asked for.
--
-- Where one rule governs the stay in each of its zones, nothing depends on them. Else the time
-- between two changes of the rule is priced as a stay of its own, which begins when the vehicle was
-- let into the zone; what concerns the stay as a whole (validations, a lost ticket, an earlier visit)
-- counts in the first part. A reserved stay was sold for the zone of its reservation: it is priced
-- as if it had stayed there.
CREATE OR REPLACE FUNCTION gate.zone_parts_v1(p_booking public.bookings, p_until timestamptz)
RETURNS TABLE (starts timestamptz, ends timestamptz, context jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_context jsonb := gate.stay_context_v1(p_booking);
BEGIN
    IF v_context ? 'reserved_from' OR NOT EXISTS (
        SELECT FROM gate.stay_segments g WHERE g.booking_id = p_booking.id AND g.position = 2)
    THEN
        RETURN QUERY SELECT p_booking.entry_time, p_until, v_context;
        RETURN;
    END IF;
    RETURN QUERY
        WITH segment AS (
            SELECT g.position, z.code, greatest(g.begins_at, p_booking.entry_time) AS starts,
                least(coalesce(g.ends_at, p_until), p_until) AS ends,
                (gate.rule_in_force_v1(p_booking.facility_id, p_booking.entry_time,
                    v_context || jsonb_build_object('zone', z.code))).id AS rule
            FROM gate.stay_segments g JOIN public.zones z ON z.id = g.zone_id
            WHERE g.booking_id = p_booking.id AND (g.position = 1 OR g.begins_at < p_until)
        ), marked AS (
            SELECT s.*, s.rule IS DISTINCT FROM lag(s.rule) OVER w AND s.position > 1 AS changes
            FROM segment s WINDOW w AS (ORDER BY s.position)
        ), numbered AS (
            SELECT m.*, count(*) FILTER (WHERE m.changes) OVER (ORDER BY m.position) AS part
            FROM marked m
        )
        SELECT min(n.starts), max(n.ends),
            CASE WHEN n.part = 0 THEN v_context
                ELSE v_context - '{validations,lost_ticket,earlier_visit}'::text[] END
            || jsonb_build_object('zone', (array_agg(n.code ORDER BY n.position))[1])
        FROM numbered n GROUP BY n.part ORDER BY n.part;
END
$$;
