-- Promises every place where something that is kept twice says two things, as seen at one instant,
-- whoever is writing meanwhile; no row if there is none. Changes nothing. p_facility: of this
-- facility alone; null: everywhere.
--
-- kind         what was compared
-- counters     facilities and zones count their spots (with what is not counted yet)
-- spots        the state of a spot is that of its claims
-- claims       each booking that holds a spot, or is inside without one, has its claim; no other stands
-- directory    each live booking stands in the directory of tickets as it is
-- entries      no subscription was used for more entries than it lost
-- payments     a payment's refunds are the refunds that were made of it
CREATE OR REPLACE FUNCTION gate.verify_v1(p_facility uuid DEFAULT NULL)
RETURNS TABLE (kind text, facility uuid, subject uuid, field text, stated text, counted text)
LANGUAGE sql STABLE AS $$
    WITH spot_count AS (
        SELECT z.facility_id, z.id AS zone_id,
            count(s.id) FILTER (WHERE s.is_active) AS total,
            count(s.id) FILTER (WHERE s.is_active AND s.status = 'AVAILABLE') AS available
        FROM public.zones z LEFT JOIN public.parking_spots s ON s.zone_id = z.id
        WHERE p_facility IS NULL OR z.facility_id = p_facility
        GROUP BY z.facility_id, z.id
    ), pending AS (
        SELECT c.facility_id, c.zone_id, sum(c.total) AS total, sum(c.available) AS available
        FROM gate.spot_changes c GROUP BY c.facility_id, c.zone_id
    ), zone_count AS (
        SELECT k.facility_id, k.zone_id, k.total, k.available,
            z.total_spots + coalesce(p.total, 0) AS total_stated,
            z.available_spots + coalesce(p.available, 0) AS available_stated,
            coalesce(p.total, 0) AS total_pending, coalesce(p.available, 0) AS available_pending
        FROM spot_count k
        JOIN public.zones z ON z.id = k.zone_id
        LEFT JOIN pending p ON p.zone_id = k.zone_id
    ), facility_count AS (
        SELECT f.id AS facility_id,
            coalesce(sum(k.total), 0) AS total, coalesce(sum(k.available), 0) AS available,
            f.total_spots + coalesce(sum(k.total_pending), 0) AS total_stated,
            f.available_spots + coalesce(sum(k.available_pending), 0) AS available_stated
        FROM public.facilities f LEFT JOIN zone_count k ON k.facility_id = f.id
        WHERE p_facility IS NULL OR f.id = p_facility
        GROUP BY f.id
    ), spot AS (
        SELECT z.facility_id, s.id, s.status::text AS status, s.current_booking,
            stay.booking_id AS stay, held.booking_id AS held
        FROM public.parking_spots s
        JOIN public.zones z ON z.id = s.zone_id
        LEFT JOIN gate.claims stay ON stay.spot_id = s.id AND stay.kind = 'stay'
        LEFT JOIN gate.claims held ON held.spot_id = s.id AND held.kind = 'reservation'
            AND held.booking_id = s.current_booking
        WHERE p_facility IS NULL OR z.facility_id = p_facility
    ), holder AS (
        SELECT b.id, b.facility_id, b.spot_id, b.entry_time, b.ticket_number,
            CASE b.status WHEN 'ACTIVE' THEN 'stay' ELSE 'reservation' END AS kind,
            tstzrange(b.entry_time, b.expected_exit) AS during,
            coalesce(s.zone_id, b.zone_id) AS zone_id, gate.has_claim(b) AS claims,
            coalesce(nullif(gate.plate_normal_v1(b.plate_number), ''), v.plate_normal) AS plate,
            gate.parker_group(b) AS parker_group
        FROM public.bookings b
        LEFT JOIN public.parking_spots s ON s.id = b.spot_id
        LEFT JOIN public.vehicles v ON v.id = b.vehicle_id
        WHERE b.status IN ('CONFIRMED', 'ACTIVE')
            AND (p_facility IS NULL OR b.facility_id = p_facility)
    )
    SELECT 'counters', k.facility_id, k.zone_id, w.field, w.stated::text, w.counted::text
    FROM zone_count k, LATERAL (VALUES
        ('zones.total_spots', k.total_stated, k.total),
        ('zones.available_spots', k.available_stated, k.available)
    ) AS w (field, stated, counted)
    WHERE w.stated <> w.counted
    UNION ALL
    SELECT 'counters', k.facility_id, k.facility_id, w.field, w.stated::text, w.counted::text
    FROM facility_count k, LATERAL (VALUES
        ('facilities.total_spots', k.total_stated, k.total),
        ('facilities.available_spots', k.available_stated, k.available)
    ) AS w (field, stated, counted)
    WHERE w.stated <> w.counted
    UNION ALL
    SELECT 'spots', s.facility_id, s.id, 'parking_spots.status', s.status,
        CASE WHEN s.stay IS NOT NULL THEN 'OCCUPIED'
            WHEN s.held IS NOT NULL THEN 'RESERVED' ELSE 'AVAILABLE' END
    FROM spot s
    WHERE s.status <> 'MAINTENANCE' AND s.status <>
        CASE WHEN s.stay IS NOT NULL THEN 'OCCUPIED'
            WHEN s.held IS NOT NULL THEN 'RESERVED' ELSE 'AVAILABLE' END
    UNION ALL
    SELECT 'spots', s.facility_id, s.id, 'parking_spots.current_booking',
        s.current_booking::text, coalesce(s.stay, s.held)::text
    FROM spot s
    WHERE s.current_booking IS DISTINCT FROM coalesce(s.stay, s.held)
    UNION ALL
    SELECT 'claims', h.facility_id, h.id, 'gate.claims',
        CASE WHEN c.booking_id IS NULL THEN 'none'
            ELSE concat_ws(' ', c.kind, c.spot_id, c.plate, c.during, c.parker_group) END,
        concat_ws(' ', h.kind, h.spot_id, h.plate, h.during, h.parker_group)
    FROM holder h LEFT JOIN gate.claims c ON c.booking_id = h.id
    WHERE h.claims
        AND (c.booking_id IS NULL
            OR (c.kind, c.spot_id, c.zone_id, c.facility_id, c.entry_time, c.during, c.plate,
                    c.parker_group)
                IS DISTINCT FROM (h.kind, h.spot_id, h.zone_id, h.facility_id, h.entry_time,
                    h.during, h.plate, h.parker_group))
    UNION ALL
    SELECT 'claims', c.facility_id, c.booking_id, 'gate.claims',
        concat_ws(' ', c.kind, c.spot_id, c.plate, c.during), 'none'
    FROM gate.claims c
    WHERE (p_facility IS NULL OR c.facility_id = p_facility)
        AND NOT EXISTS (
            SELECT FROM holder h WHERE h.id = c.booking_id AND h.claims)
    UNION ALL
    SELECT 'directory', h.facility_id, h.id, 'gate.tickets',
        coalesce(t.ticket_number || ' ' || gate.utc_text_v1(t.entry_time), 'none'),
        h.ticket_number || ' ' || gate.utc_text_v1(h.entry_time)
    FROM holder h LEFT JOIN gate.tickets t ON t.booking_id = h.id
    WHERE t.booking_id IS NULL
        OR (t.ticket_number, t.entry_time) <> (h.ticket_number, h.entry_time)
    UNION ALL
    SELECT 'entries', s.facility_id, u.id, 'user_subscriptions.entries_remaining',
        u.entries_remaining::text, (s.entry_count - used.entries)::text
    FROM public.user_subscriptions u
    JOIN public.subscriptions s ON s.id = u.subscription_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS entries FROM public.bookings b WHERE b.user_subscription_id = u.id
    ) used
    WHERE (p_facility IS NULL OR s.facility_id = p_facility)
        AND u.entries_remaining + used.entries > s.entry_count
    UNION ALL
    SELECT 'payments', b.facility_id, p.id, 'payments.refunded', p.refunded::text, r.refunded::text
    FROM (
        SELECT payment_id, sum(amount) AS refunded FROM gate.refunds GROUP BY payment_id
    ) r
    FULL JOIN (SELECT id FROM public.payments WHERE refunded > 0) given ON given.id = r.payment_id
    JOIN public.payments p ON p.id = coalesce(given.id, r.payment_id)
    LEFT JOIN gate.tickets t ON t.booking_id = p.booking_id
    LEFT JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
    WHERE p.refunded <> coalesce(r.refunded, 0)
        AND (p_facility IS NULL OR b.facility_id = p_facility)
$$;
