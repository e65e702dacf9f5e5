-- Lanes between zones, what stays did between them, limits by group and time, and signs.

-- As daemons come to them, or the one would wait for the other.
LOCK TABLE public.bookings, gate.claims IN ACCESS EXCLUSIVE MODE;

-- ── lanes between the zones of a facility ──────────────────────────────────────────────────

ALTER TABLE gate.lanes
    DROP CONSTRAINT lanes_direction_check,
    ADD CONSTRAINT lanes_direction_check CHECK (direction IN ('entry', 'exit', 'transfer')),
    ADD COLUMN from_zone_id uuid REFERENCES public.zones,
    ADD CONSTRAINT lanes_from_zone_check CHECK (direction = 'transfer' OR from_zone_id IS NULL);
COMMENT ON COLUMN gate.lanes.direction IS
    'entry or exit of the facility; transfer: from one of its zones into another.';
COMMENT ON COLUMN gate.lanes.from_zone_id IS
    'The zone that the vehicles of a transfer come from; null: not a transfer.';
COMMENT ON TABLE gate.lane_zones IS
    'The zones that an entry or a transfer lane fills, in order of position.';
COMMENT ON COLUMN gate.lane_zones.lane_id IS 'The entry or transfer lane.';

CREATE TABLE gate.stay_segments (
    booking_id uuid NOT NULL REFERENCES gate.tickets (booking_id) ON DELETE CASCADE,
    position   integer NOT NULL CHECK (position > 0),
    zone_id    uuid NOT NULL,
    spot_id    uuid,
    lane_id    uuid,
    known      text CHECK (known IN ('measured', 'reported', 'assumed')),
    begins_at  timestamptz NOT NULL,
    ends_at    timestamptz,
    PRIMARY KEY (booking_id, position),
    CONSTRAINT stay_segments_ends_check CHECK (ends_at >= begins_at)
);
COMMENT ON TABLE gate.stay_segments IS
    'The parts of stays that changed their zone; a stay without a row was in one zone.';
COMMENT ON COLUMN gate.stay_segments.booking_id IS
    'The stay: bookings.id, by way of the directory; goes with it.';
COMMENT ON COLUMN gate.stay_segments.position IS 'The first part of a stay is 1.';
COMMENT ON COLUMN gate.stay_segments.zone_id IS 'Where the vehicle was.';
COMMENT ON COLUMN gate.stay_segments.spot_id IS
    'The spot it had there last; null: it was there without one.';
COMMENT ON COLUMN gate.stay_segments.lane_id IS
    'The lane it came through; null: none that is known.';
COMMENT ON COLUMN gate.stay_segments.known IS
    'How its passage through that lane is known; null: not seen yet.';
COMMENT ON COLUMN gate.stay_segments.begins_at IS 'When it was let through.';
COMMENT ON COLUMN gate.stay_segments.ends_at IS 'When it was let on; null: the stay ended there.';

ALTER TABLE gate.free_passages
    DROP CONSTRAINT free_passages_direction_check,
    ADD CONSTRAINT free_passages_direction_check
        CHECK (direction IN ('entry', 'exit', 'transfer'));
COMMENT ON COLUMN gate.free_passages.direction IS 'entry, exit or transfer.';
COMMENT ON COLUMN gate.free_passages.outcome IS
    'stay_opened, stay_ended, stay_moved, already_inside or nobody_known.';
COMMENT ON COLUMN gate.free_passages.stay_id IS
    'The stay that it began, moved, ended or was found in: bookings.id, a record; null: none.';

-- ── whose stays they are ───────────────────────────────────────────────────────────────────

CREATE FUNCTION gate.parker_group(booking bookings) RETURNS text
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN booking.booking_type = 'RESERVATION' OR booking.status = 'CONFIRMED'
            OR booking.entitlement = 'reservation' THEN 'reservation'
        WHEN booking.entitlement IS NOT NULL OR booking.vehicle_id IS NOT NULL THEN 'permit_holder'
        ELSE 'transient'
    END
$$;

ALTER TABLE gate.claims ADD COLUMN parker_group text NOT NULL DEFAULT 'transient'
    CHECK (parker_group IN ('transient', 'permit_holder', 'reservation'));
UPDATE gate.claims c SET parker_group = gate.parker_group(b)
FROM public.bookings b WHERE b.id = c.booking_id AND b.entry_time = c.entry_time;
COMMENT ON COLUMN gate.claims.parker_group IS
    'Whose it is: a reservation''s, a permit_holder''s (a subscription, staff, a registered '
    'vehicle) or a transient''s.';
DROP INDEX gate.claims_zone_idx;
CREATE INDEX claims_zone_idx ON gate.claims (facility_id, zone_id, kind, parker_group);

CREATE OR REPLACE FUNCTION gate.put_claim(booking bookings) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    v_zone uuid;
    v_facility uuid;
BEGIN
    IF booking.spot_id IS NULL THEN
        SELECT z.id, z.facility_id INTO v_zone, v_facility
        FROM public.zones z WHERE z.id = booking.zone_id;
    ELSE
        SELECT z.id, z.facility_id INTO v_zone, v_facility
        FROM public.parking_spots s JOIN public.zones z ON z.id = s.zone_id
        WHERE s.id = booking.spot_id
        FOR NO KEY UPDATE OF s;
    END IF;
    IF v_facility IS DISTINCT FROM booking.facility_id THEN
        RAISE check_violation USING
            MESSAGE = CASE WHEN booking.spot_id IS NULL
                THEN format('bookings.zone_id: the zone %s is not of the facility %s',
                    booking.zone_id, booking.facility_id)
                ELSE format('bookings.spot_id: the spot %s is not of the facility %s',
                    booking.spot_id, booking.facility_id) END,
            CONSTRAINT = CASE WHEN booking.spot_id IS NULL
                THEN 'bookings_zone_check' ELSE 'bookings_spot_check' END,
            SCHEMA = 'public', TABLE = 'bookings';
    END IF;
    INSERT INTO gate.claims (
        booking_id, facility_id, zone_id, spot_id, entry_time, kind, plate, during, parker_group
    ) VALUES (
        booking.id, v_facility, v_zone, booking.spot_id, booking.entry_time,
        CASE booking.status WHEN 'ACTIVE' THEN 'stay' ELSE 'reservation' END,
        coalesce(
            nullif(gate.plate_normal_v1(booking.plate_number), ''),
            (SELECT v.plate_normal FROM public.vehicles v WHERE v.id = booking.vehicle_id)),
        tstzrange(booking.entry_time, booking.expected_exit),
        gate.parker_group(booking)
    )
    ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE SET
        facility_id = excluded.facility_id, zone_id = excluded.zone_id,
        spot_id = excluded.spot_id, entry_time = excluded.entry_time, kind = excluded.kind,
        plate = excluded.plate, during = excluded.during, parker_group = excluded.parker_group;
    IF booking.status = 'ACTIVE' THEN
        -- A spot out of service stays out of service, with a vehicle on it.
        UPDATE public.parking_spots s SET
            status = CASE s.status WHEN 'MAINTENANCE' THEN s.status ELSE 'OCCUPIED' END,
            current_booking = booking.id
        WHERE s.id = booking.spot_id
            AND (s.current_booking IS DISTINCT FROM booking.id
                OR s.status IN ('AVAILABLE', 'RESERVED'));
    END IF;
END $$;

-- The group follows what it is made from.
DROP TRIGGER bookings_follow ON public.bookings;
CREATE TRIGGER bookings_follow
    AFTER INSERT OR DELETE OR UPDATE OF
        id, ticket_number, entry_time, expected_exit, status, spot_id, zone_id, facility_id,
        vehicle_id, plate_number,
        booking_type, entitlement
    ON public.bookings
    FOR EACH ROW EXECUTE FUNCTION gate.bookings_follow();

-- ── limits ─────────────────────────────────────────────────────────────────────────────────

CREATE TABLE gate.zone_limits (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id  uuid NOT NULL REFERENCES public.facilities,
    zone_id      uuid REFERENCES public.zones,
    position     integer NOT NULL,
    parker_group text NOT NULL
                 CHECK (parker_group IN ('transient', 'permit_holder', 'reservation')),
    stays_max    integer NOT NULL CHECK (stays_max >= 0),
    days         text[],
    begins       text CHECK (gate.is_clock_v1(to_jsonb(begins))),
    ends         text CHECK (gate.is_clock_v1(to_jsonb(ends))),
    CONSTRAINT zone_limits_position_key UNIQUE NULLS NOT DISTINCT (facility_id, zone_id, position),
    CONSTRAINT zone_limits_window_check CHECK ((begins IS NULL) = (ends IS NULL))
);
COMMENT ON TABLE gate.zone_limits IS
    'How many stays of a group a zone, or a facility, takes in at most, at all times or at some.';
COMMENT ON COLUMN gate.zone_limits.id IS 'Its id.';
COMMENT ON COLUMN gate.zone_limits.facility_id IS 'The facility.';
COMMENT ON COLUMN gate.zone_limits.zone_id IS 'The zone; null: the facility as a whole.';
COMMENT ON COLUMN gate.zone_limits.position IS 'Its place in the site file.';
COMMENT ON COLUMN gate.zone_limits.parker_group IS 'Whose stays: as gate.claims has it.';
COMMENT ON COLUMN gate.zone_limits.stays_max IS 'So many at once; 0: this group is not let in.';
COMMENT ON COLUMN gate.zone_limits.days IS
    'On which days: mon to sun, and what gate.calendar_days calls them; null: on all.';
COMMENT ON COLUMN gate.zone_limits.begins IS
    'From what time of day on, on the facility''s clock; null, with ends: the whole day.';
COMMENT ON COLUMN gate.zone_limits.ends IS
    'Up to what time of day: of the next day, where it is not after begins.';

-- ── signs ──────────────────────────────────────────────────────────────────────────────────

ALTER TABLE gate.facility_settings ADD COLUMN sign_free_again integer NOT NULL DEFAULT 1
    CHECK (sign_free_again > 0);
COMMENT ON COLUMN gate.facility_settings.sign_free_again IS
    'How many must be free again before a sign that said full says otherwise.';
