-- Promises the open stays of the facility whose vehicles were inside at p_from and have not been seen
-- inside since, with what is known of each: where and how it came in, its spot, and where its plate
-- was last seen at all. Who is still parked is among them: an operator can tell.
CREATE OR REPLACE FUNCTION gate.unseen_stays_v1(p_facility uuid, p_from timestamptz)
RETURNS TABLE (
    stay uuid, ticket text, plate text, entry_time timestamptz, entry_lane text, zone text,
    spot text, seen_at timestamptz, seen text, seen_lane text
)
LANGUAGE sql STABLE AS $$
    SELECT b.id, b.ticket_number, b.plate_number, b.entry_time, l.slug, z.code, s.spot_number,
        anywhere.at, anywhere.what, seen_lane.slug
    FROM gate.claims c
    CROSS JOIN LATERAL (
        SELECT b.* FROM public.bookings b
        WHERE b.id = c.booking_id AND b.entry_time = c.entry_time LIMIT 1
    ) b
    CROSS JOIN LATERAL gate.last_seen_v1(b, 'infinity', true) inside
    CROSS JOIN LATERAL gate.last_seen_v1(b, 'infinity', false) anywhere
    LEFT JOIN public.zones z ON z.id = c.zone_id
    LEFT JOIN public.parking_spots s ON s.id = c.spot_id
    LEFT JOIN gate.lanes l ON l.id = b.entry_lane_id
    LEFT JOIN gate.lanes seen_lane ON seen_lane.id = anywhere.lane
    WHERE c.facility_id = p_facility AND c.kind = 'stay' AND c.entry_time < p_from
        AND inside.at < p_from
    ORDER BY b.entry_time, b.id
$$;
