-- Promises the plate by which a stay is found at a lane: its own. One on a ticket has none: then p_read,
-- what was read of the vehicle that stands there, unless another one is inside with that plate; else
-- null. So it is for a row of nulls.
CREATE OR REPLACE FUNCTION gate.plate_to_go_by_v1(
    p_booking public.bookings, p_facility uuid, p_read text
) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_booking.id IS NOT NULL THEN coalesce(
        nullif(gate.plate_normal_v1(p_booking.plate_number), ''),
        CASE WHEN NOT EXISTS (
            SELECT FROM gate.claims c
            WHERE c.facility_id = p_facility AND c.kind = 'stay' AND c.plate = p_read)
        THEN p_read END) END
$$;
