-- Promises what is known about one plate at one instant, as exactly one row; changes nothing.
--
-- A blocked vehicle row with this plate blocks, whoever owns it. `parker_group` is that of the open
-- stay. At an exit a stay that was
-- released in the last 15 minutes and not seen passing counts as open (`released`), at its frozen
-- price; and the last stay of the plate is open if it was closed because its vehicle seemed to be
-- gone. The price of an open stay, and what is due of it, are asked for at exits only, and their
-- errors are the caller's.
--
-- At an entrance: the reservation that is due (`booking`, with the zone of its spot), a valid
-- subscription of the vehicle's owner with entries left (an unlimited one before one that is used
-- up by it, then the one that ends first), whether the owner may park as staff, and how many
-- violations of the vehicle are open here. An owner whose account is closed has no rights. Where
-- none of these rights holds, and some entrance asks for one, `lapsed` says why the one does not
-- that was there last.
--
-- p_lanes: who was let in through one of these and not seen passing is let in again with the same
-- stay (gate.admit_v1): the right that this stay was given counts as its own, and no other, though
-- the stay has used it.
CREATE OR REPLACE FUNCTION gate.plate_snapshot_v1(
    p_facility uuid, p_plate text, p_direction text, p_at timestamptz, p_lanes uuid[] DEFAULT '{}'
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
    available integer[],
    due numeric,
    booking uuid,
    booking_zone uuid,
    subscription uuid,
    staff boolean,
    violations integer,
    violation_denies boolean,
    lapsed text,
    parker_group text
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_given text;
    v_from uuid;
BEGIN
    SELECT v.id, v.user_id INTO vehicle, owner FROM gate.vehicle_of_v1(NULL, p_plate, NULL) v;
    blocked := EXISTS (
        SELECT FROM public.vehicles v
        WHERE v.plate_normal = p_plate AND v.is_active AND v.is_blocked);

    SELECT
        c.booking_id, c.entry_time, c.zone_id, c.spot_id, s.spot_number, t.ticket_number, false,
        c.parker_group
    INTO stay, entry_at, zone, spot, spot_number, ticket, released, parker_group
    FROM gate.claims c
    LEFT JOIN public.parking_spots s ON s.id = c.spot_id
    JOIN gate.tickets t ON t.booking_id = c.booking_id
    WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'stay';

    IF p_direction = 'exit' THEN
        IF stay IS NOT NULL THEN
            SELECT c.amount, c.currency, c.due INTO price, currency, due
            FROM gate.charge_stay_v1(p_facility, stay, entry_at, p_at) c;
        ELSE
            SELECT
                b.id, b.entry_time, coalesce(s.zone_id, b.zone_id), s.id, s.spot_number,
                b.ticket_number, true,
                b.final_price, b.currency, gate.parker_group(b)
            INTO
                stay, entry_at, zone, spot, spot_number, ticket, released, price, currency,
                parker_group
            FROM gate.decisions d
            JOIN gate.tickets t ON t.booking_id = d.stay_id
            JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
            LEFT JOIN public.parking_spots s ON s.id = b.spot_id
            WHERE d.facility_id = p_facility AND d.plate = p_plate AND d.decision = 'grant'
                -- Each release is a decision, so its month is found by the exit and not the entry.
                AND d.decided_at > p_at - interval '15 minutes'
                AND d.decided_at < p_at + interval '15 minutes'
                AND b.status = 'COMPLETED' AND b.exit_known IS NULL AND b.final_price IS NOT NULL
                AND b.actual_exit > p_at - interval '15 minutes'
            ORDER BY b.actual_exit DESC
            LIMIT 1;
            due := greatest(price - gate.paid_v1(stay), 0);
            IF stay IS NULL THEN
                SELECT b.id, b.entry_time, b.zone, b.spot_id, b.spot_number, b.ticket_number,
                    b.parker_group
                INTO stay, entry_at, zone, spot, spot_number, ticket, parker_group
                FROM (
                    SELECT b.id, b.entry_time, coalesce(s.zone_id, b.zone_id) AS zone, b.spot_id,
                        s.spot_number, b.ticket_number, b.closed_reason,
                        gate.parker_group(b) AS parker_group
                    FROM public.bookings b LEFT JOIN public.parking_spots s ON s.id = b.spot_id
                    WHERE b.facility_id = p_facility AND b.plate_number = p_plate
                        AND b.status = 'COMPLETED'
                        AND b.entry_time > p_at - interval '1 year' AND b.entry_time <= p_at
                    ORDER BY b.entry_time DESC LIMIT 1
                ) b
                WHERE b.closed_reason IS NOT NULL;
                IF FOUND THEN
                    SELECT c.amount, c.currency, c.due INTO price, currency, due
                    FROM gate.charge_stay_v1(p_facility, stay, entry_at, p_at) c;
                END IF;
            END IF;
        END IF;
    ELSIF p_direction = 'entry' THEN
        SELECT c.booking_id, c.zone_id INTO booking, booking_zone
        FROM gate.claims c
        WHERE c.facility_id = p_facility AND c.plate = p_plate AND c.kind = 'reservation'
            AND gate.booking_due_v1(p_facility, c.entry_time, upper(c.during), p_at)
        ORDER BY c.entry_time LIMIT 1;
        IF EXISTS (SELECT FROM public.users o WHERE o.id = owner AND o.is_active) THEN
            SELECT u.id INTO subscription
            FROM public.user_subscriptions u JOIN public.subscriptions s ON s.id = u.subscription_id
            WHERE u.user_id = owner AND s.facility_id = p_facility
                AND u.activated_at <= p_at AND p_at < u.expires_at
                AND (u.entries_remaining IS NULL OR u.entries_remaining > 0)
            ORDER BY u.entries_remaining IS NULL DESC, u.expires_at, u.id LIMIT 1;
            staff := EXISTS (
                SELECT FROM public.facility_staff f
                WHERE f.facility_id = p_facility AND f.staff_member = owner
                    AND 'park' = ANY (f.permissions));
        END IF;
        IF stay IS NOT NULL AND p_lanes <> '{}' THEN
            SELECT b.entitlement, b.user_subscription_id INTO v_given, v_from
            FROM public.bookings b
            WHERE b.id = stay AND b.entry_time = plate_snapshot_v1.entry_at AND b.status = 'ACTIVE'
                AND b.entry_lane_id = ANY (p_lanes) AND b.entry_known IS NULL
                AND b.entry_time > p_at - interval '15 minutes' AND b.spot_id IS NOT NULL
                AND b.entitlement IS NOT NULL;
            IF FOUND THEN
                booking := CASE v_given WHEN 'reservation' THEN stay END;
                booking_zone := CASE v_given WHEN 'reservation' THEN zone END;
                subscription := v_from;
                staff := v_given = 'staff';
            END IF;
        END IF;
        IF booking IS NULL AND subscription IS NULL AND staff IS NOT TRUE AND EXISTS (
            SELECT FROM gate.lanes l JOIN gate.facility_settings f USING (facility_id)
            WHERE l.facility_id = p_facility AND l.is_active
                AND coalesce(l.policy ->> 'admits', f.policy ->> 'admits') <> 'everyone')
        THEN
            lapsed := gate.lapsed_right_v1(p_facility, p_plate, owner, p_at);
        END IF;
        SELECT count(*) INTO violations FROM public.violations v
        WHERE v.facility_id = p_facility AND v.status = 'OPEN'
            AND (v.plate_number = p_plate OR v.vehicle_id = vehicle);
        SELECT f.open_violation_denies INTO violation_denies
        FROM gate.facility_settings f WHERE f.facility_id = p_facility;
    END IF;

    SELECT array_agg(z.id ORDER BY z.id),
        array_agg(greatest(z.available_spots + coalesce((
            SELECT sum(c.available)::integer FROM gate.spot_changes c
            WHERE c.facility_id = p_facility AND c.zone_id = z.id), 0), 0) ORDER BY z.id)
    INTO zones, available
    FROM public.zones z WHERE z.facility_id = p_facility AND z.is_active;
    zones := coalesce(zones, '{}');
    available := coalesce(available, '{}');
    released := coalesce(released, false);
    staff := coalesce(staff, false);
    violations := coalesce(violations, 0);
    violation_denies := coalesce(violation_denies, false);
    RETURN NEXT;
END
$$;
