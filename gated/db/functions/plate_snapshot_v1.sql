-- Promises what is known about one plate at one instant, as exactly one row; changes nothing.
--
-- A blocked vehicle row with this plate blocks, whoever owns it. At an exit a stay that was
-- released in the last 15 minutes and not seen passing counts as open (`released`), at its frozen
-- price. The price of an open stay is asked for at exits only, and its errors are the caller's.
CREATE OR REPLACE FUNCTION gate.plate_snapshot_v1(
    p_facility uuid, p_plate text, p_direction text, p_at timestamptz
) RETURNS TABLE (
    vehicle uuid,
    owner uuid,
    blocked boolean,
    stay uuid,
    entry_at timestamptz,
    zone uuid,
    spot uuid,
    spot_number text,
    ticket text,
    released boolean,
    price numeric,
    currency char(3),
    zones uuid[],
    available integer[]
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT v.id, v.user_id INTO vehicle, owner
    FROM public.vehicles v
    WHERE v.plate_normal = p_plate AND v.is_active
    ORDER BY v.user_id IS NULL, v.is_verified DESC, v.created_at, v.id
    LIMIT 1;
    blocked := EXISTS (
        SELECT FROM public.vehicles v
        WHERE v.plate_normal = p_plate AND v.is_active AND v.is_blocked);

    SELECT c.booking_id, c.entry_time, c.zone_id, c.spot_id, s.spot_number, t.ticket_number, false
    INTO stay, entry_at, zone, spot, spot_number, ticket, released
    FROM gate.claims c
    JOIN public.parking_spots s ON s.id = c.spot_id
    JOIN gate.tickets t ON t.booking_id = c.booking_id
    WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';

    IF p_direction = 'exit' THEN
        IF stay IS NOT NULL THEN
            SELECT c.amount, c.currency INTO price, currency
            FROM gate.price_stay_v1(p_facility, entry_at, p_at) c;
        ELSE
            SELECT
                b.id, b.entry_time, s.zone_id, s.id, s.spot_number, b.ticket_number, true,
                b.final_price, b.currency
            INTO stay, entry_at, zone, spot, spot_number, ticket, released, price, currency
            FROM gate.decisions d
            JOIN gate.tickets t ON t.booking_id = d.stay_id
            JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
            JOIN public.parking_spots s ON s.id = b.spot_id
            WHERE d.facility_id = p_facility AND d.plate = p_plate AND d.decision = 'grant'
                -- Each release is a decision, so its month is found by the exit and not the entry.
                AND d.decided_at > p_at - interval '15 minutes'
                AND d.decided_at < p_at + interval '15 minutes'
                AND b.status = 'COMPLETED' AND b.exit_known IS NULL AND b.final_price IS NOT NULL
                AND b.actual_exit > p_at - interval '15 minutes'
            ORDER BY b.actual_exit DESC
            LIMIT 1;
        END IF;
    END IF;

    SELECT array_agg(z.id ORDER BY z.id), array_agg(z.available_spots ORDER BY z.id)
    INTO zones, available
    FROM public.zones z WHERE z.facility_id = p_facility AND z.is_active;
    zones := coalesce(zones, '{}');
    available := coalesce(available, '{}');
    released := coalesce(released, false);
    RETURN NEXT;
END
$$;
