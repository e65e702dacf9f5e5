-- The bookings with the ids $1 at the facilities $2, each read in its own month.
SELECT b.id, b.facility_id AS facility, b.ticket_number AS ticket, b.booking_type::text AS kind,
    b.status::text AS status, b.plate_number AS plate,
    (SELECT v.plate_normal FROM public.vehicles v WHERE v.id = b.vehicle_id) AS vehicle_plate,
    b.vehicle_id AS vehicle, b.user_id AS user,
    b.created_at, b.entry_time AS entry_at, b.expected_exit, b.actual_exit AS exit_at,
    b.reserved_from, b.reserved_until, b.entitlement, b.cancel_reason, b.closed_reason,
    entry.slug AS entry_lane, leave.slug AS exit_lane, b.entry_known, b.exit_known,
    z.name AS zone, s.spot_number AS spot, r.name AS tariff,
    b.estimated_price, b.final_price, coalesce(b.currency, f.currency) AS currency,
    b.paid_at, b.grace_until, b.price_context::text AS context, b.price_lines::text AS price_lines
FROM unnest($1::uuid[]) AS k (id)
JOIN gate.tickets t ON t.booking_id = k.id
CROSS JOIN LATERAL (
    SELECT * FROM public.bookings b WHERE b.id = t.booking_id AND b.entry_time = t.entry_time
    LIMIT 1
) b
JOIN gate.facility_settings f ON f.facility_id = b.facility_id
LEFT JOIN LATERAL (
    SELECT s.spot_number, s.zone_id FROM public.parking_spots s WHERE s.id = b.spot_id LIMIT 1
) s ON true
LEFT JOIN public.zones z ON z.id = coalesce(s.zone_id, b.zone_id)
LEFT JOIN public.pricing_rules r ON r.id = b.pricing_rule_id
LEFT JOIN gate.lanes entry ON entry.id = b.entry_lane_id
LEFT JOIN gate.lanes leave ON leave.id = b.exit_lane_id
WHERE b.facility_id = ANY ($2::uuid[])
ORDER BY b.entry_time, b.id
