-- Vehicles that passed without a grant: stays that hold no spot, what became of each such passage,
-- notes of the lanes, and how a facility takes a plate that is inside already.

-- As daemons come to them, or the one would wait for the other.
LOCK TABLE public.bookings, gate.claims IN ACCESS EXCLUSIVE MODE;

-- Where a vehicle is that holds no spot. No row breaks the rule; 0004 proves it.
ALTER TABLE public.bookings
    ADD COLUMN zone_id uuid REFERENCES public.zones,
    ADD CONSTRAINT bookings_place_check CHECK (num_nonnulls(spot_id, zone_id) < 2) NOT VALID;

ALTER TABLE gate.claims ALTER COLUMN spot_id DROP NOT NULL;
-- Finds who waits for a spot that comes free.
CREATE INDEX claims_spotless_idx ON gate.claims (facility_id, entry_time) WHERE spot_id IS NULL;

CREATE FUNCTION gate.has_claim(booking public.bookings) RETURNS boolean
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE booking.status
        WHEN 'ACTIVE' THEN num_nonnulls(booking.spot_id, booking.zone_id) > 0
        WHEN 'CONFIRMED' THEN booking.spot_id IS NOT NULL
        ELSE false END
$$;

CREATE OR REPLACE FUNCTION gate.put_claim(booking public.bookings) RETURNS void
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
        booking_id, facility_id, zone_id, spot_id, entry_time, kind, plate, during
    ) VALUES (
        booking.id, v_facility, v_zone, booking.spot_id, booking.entry_time,
        CASE booking.status WHEN 'ACTIVE' THEN 'stay' ELSE 'reservation' END,
        coalesce(
            nullif(gate.plate_normal_v1(booking.plate_number), ''),
            (SELECT v.plate_normal FROM public.vehicles v WHERE v.id = booking.vehicle_id)),
        tstzrange(booking.entry_time, booking.expected_exit)
    )
    ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE SET
        facility_id = excluded.facility_id, zone_id = excluded.zone_id,
        spot_id = excluded.spot_id, entry_time = excluded.entry_time, kind = excluded.kind,
        plate = excluded.plate, during = excluded.during;
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

CREATE OR REPLACE FUNCTION gate.bookings_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            INSERT INTO gate.tickets (ticket_number, booking_id, entry_time)
            VALUES (NEW.ticket_number, NEW.id, NEW.entry_time);
            IF gate.has_claim(NEW) THEN
                PERFORM gate.put_claim(NEW);
            END IF;
        WHEN 'UPDATE' THEN
            IF (NEW.id, NEW.ticket_number, NEW.entry_time)
                IS DISTINCT FROM (OLD.id, OLD.ticket_number, OLD.entry_time)
            THEN
                UPDATE gate.tickets SET
                    ticket_number = NEW.ticket_number, booking_id = NEW.id,
                    entry_time = NEW.entry_time
                WHERE booking_id = OLD.id;
            END IF;
            IF gate.has_claim(OLD) AND (
                NOT gate.has_claim(NEW)
                OR (NEW.id, NEW.spot_id) IS DISTINCT FROM (OLD.id, OLD.spot_id)
                -- It backed out, or it is put off: what was held for it now is not any more.
                OR NEW.status = 'CONFIRMED' AND (OLD.status, OLD.entry_time)
                    IS DISTINCT FROM (NEW.status, NEW.entry_time)
            ) THEN
                PERFORM gate.drop_claim(OLD);
            END IF;
            IF gate.has_claim(NEW) THEN
                PERFORM gate.put_claim(NEW);
            END IF;
        WHEN 'DELETE' THEN
            IF gate.has_claim(OLD) THEN
                IF OLD.status = 'ACTIVE'
                    AND NOT EXISTS (SELECT FROM public.bookings b WHERE b.id = OLD.id)
                THEN
                    RAISE foreign_key_violation USING
                        MESSAGE = format('bookings: the vehicle of %s is still inside', OLD.id),
                        CONSTRAINT = 'bookings_inside_check',
                        SCHEMA = 'public', TABLE = 'bookings';
                END IF;
                PERFORM gate.drop_claim(OLD);
            END IF;
            DELETE FROM gate.tickets WHERE booking_id = OLD.id;
    END CASE;
    RETURN NULL;
END $$;
DROP TRIGGER bookings_follow ON public.bookings;
CREATE TRIGGER bookings_follow
    AFTER INSERT OR DELETE OR UPDATE OF
        id, ticket_number, entry_time, expected_exit, status, spot_id, zone_id, facility_id,
        vehicle_id, plate_number
    ON public.bookings
    FOR EACH ROW EXECUTE FUNCTION gate.bookings_follow();

ALTER TABLE gate.facility_settings
    ADD COLUMN anti_passback text NOT NULL DEFAULT 'hard'
        CONSTRAINT facility_settings_anti_passback_check CHECK (anti_passback IN ('hard', 'soft')),
    ADD COLUMN passback_reset_at timestamptz;

ALTER TABLE gate.reconciliations
    ADD COLUMN resolution text CONSTRAINT reconciliations_resolution_check CHECK (resolution <> '');

CREATE VIEW gate.debts AS
    SELECT b.facility_id, b.id AS booking_id, b.ticket_number, b.plate_number, b.vehicle_id,
        b.user_id, b.entry_time, b.actual_exit, b.final_price AS price,
        coalesce(sum(p.amount - p.refunded), 0) AS paid,
        b.final_price - coalesce(sum(p.amount - p.refunded), 0) AS due, b.currency
    FROM public.bookings b
    LEFT JOIN public.payments p
        ON p.booking_id = b.id AND p.status IN ('COMPLETED', 'REFUNDED')
    WHERE b.status = 'COMPLETED' AND b.final_price > 0
    GROUP BY b.id, b.entry_time
    HAVING b.final_price > coalesce(sum(p.amount - p.refunded), 0);

-- Finds when a facility was evacuated, among all that was done there.
CREATE INDEX audit_logs_evacuation_idx ON public.audit_logs (facility_id, "timestamp")
    WHERE action IN ('operator.evacuate', 'operator.resume');

CREATE TABLE gate.free_passages (
    id          uuid PRIMARY KEY,
    facility_id uuid NOT NULL,
    lane_id     uuid NOT NULL,
    direction   text NOT NULL
                CONSTRAINT free_passages_direction_check CHECK (direction IN ('entry', 'exit')),
    kind        text NOT NULL CONSTRAINT free_passages_kind_check CHECK (kind IN (
        'held', 'operator', 'evacuation', 'tailgating', 'forced_barrier', 'exit_without_payment',
        'unexplained')),
    passed_at   timestamptz NOT NULL,
    plate       text,
    plate_raw   text,
    confidence  real,
    after_stay  uuid,
    user_id     uuid,
    reason      text,
    outcome     text,
    stay_id     uuid,
    due         numeric(14, 4),
    currency    char(3)
);
CREATE INDEX free_passages_facility_idx ON gate.free_passages (facility_id, passed_at);
CREATE INDEX free_passages_age_idx ON gate.free_passages (passed_at);

CREATE TABLE gate.lane_notes (
    id             uuid PRIMARY KEY,
    facility_id    uuid NOT NULL,
    lane_id        uuid NOT NULL,
    at             timestamptz NOT NULL,
    name           text NOT NULL CONSTRAINT lane_notes_name_check CHECK (name <> ''),
    detail         text NOT NULL DEFAULT '',
    event_id       uuid,
    correlation_id uuid
);
CREATE INDEX lane_notes_facility_idx ON gate.lane_notes (facility_id, at);
CREATE INDEX lane_notes_age_idx ON gate.lane_notes (at);

COMMENT ON COLUMN bookings.zone_id IS
    'The zone that counts the vehicle while it is inside without a spot, and did later; null: that '
    'of the spot.';
COMMENT ON TABLE gate.claims IS
    'Who has which spot when, while it lasts: no two may overlap. Also who is inside without one.';
COMMENT ON COLUMN gate.claims.facility_id IS 'The facility of the booking.';
COMMENT ON COLUMN gate.claims.zone_id IS 'The zone of the spot, else bookings.zone_id.';
COMMENT ON COLUMN gate.claims.spot_id IS
    'The spot; null: the vehicle came in when none was left, and holds none.';
COMMENT ON COLUMN gate.facility_settings.anti_passback IS
    'What becomes of a plate at the entrance that is inside already: hard denies, soft ends the '
    'stay that nobody saw leaving, writes it down and lets the vehicle in.';
COMMENT ON COLUMN gate.facility_settings.passback_reset_at IS
    'Stays that began before it refuse no entry of their plate; null: never reset.';
COMMENT ON COLUMN gate.reconciliations.resolution IS
    'How it was settled, for people; null: it waits, or nobody said.';

COMMENT ON TABLE gate.free_passages IS
    'Vehicles that passed without a grant: what became of each, once.';
COMMENT ON COLUMN gate.free_passages.id IS 'The message that showed it: gate.events.id, a record.';
COMMENT ON COLUMN gate.free_passages.facility_id IS 'The facility of the lane.';
COMMENT ON COLUMN gate.free_passages.lane_id IS 'Where it passed.';
COMMENT ON COLUMN gate.free_passages.direction IS 'entry or exit.';
COMMENT ON COLUMN gate.free_passages.kind IS
    'held: the lane was held open. operator: opened once by hand. evacuation: so was the facility. '
    'tailgating: in the opening of another. forced_barrier: against the arm. '
    'exit_without_payment: what was due was not paid. unexplained: refused or not read, and '
    'through all the same.';
COMMENT ON COLUMN gate.free_passages.passed_at IS 'When.';
COMMENT ON COLUMN gate.free_passages.plate IS 'In normal form; null: not read.';
COMMENT ON COLUMN gate.free_passages.plate_raw IS 'What the camera sent; null: nothing.';
COMMENT ON COLUMN gate.free_passages.confidence IS 'The camera''s own, 0 to 1; null: it sent none.';
COMMENT ON COLUMN gate.free_passages.after_stay IS
    'In whose opening: bookings.id, a record; null: nobody''s that is known.';
COMMENT ON COLUMN gate.free_passages.user_id IS 'Who opened: users.id, a record; null: nobody.';
COMMENT ON COLUMN gate.free_passages.reason IS 'Why, in the words of that user; null: not said.';
COMMENT ON COLUMN gate.free_passages.outcome IS
    'stay_opened, stay_ended, already_inside or nobody_known.';
COMMENT ON COLUMN gate.free_passages.stay_id IS
    'The stay that it began, ended or was found in: bookings.id, a record; null: none.';
COMMENT ON COLUMN gate.free_passages.due IS
    'What the ended stay owed then, in currency; null: nothing ended, or nobody could tell.';
COMMENT ON COLUMN gate.free_passages.currency IS 'ISO 4217 code; null, with due.';

COMMENT ON TABLE gate.lane_notes IS
    'What happened to lanes: faults raised and cleared, changes of mode, notices.';
COMMENT ON COLUMN gate.lane_notes.id IS 'Its id, made by the caller: told twice, it counts once.';
COMMENT ON COLUMN gate.lane_notes.facility_id IS 'The facility of the lane.';
COMMENT ON COLUMN gate.lane_notes.lane_id IS 'The lane.';
COMMENT ON COLUMN gate.lane_notes.at IS 'When.';
COMMENT ON COLUMN gate.lane_notes.name IS 'What, as a stable word.';
COMMENT ON COLUMN gate.lane_notes.detail IS 'The particulars, for people; empty: none.';
COMMENT ON COLUMN gate.lane_notes.event_id IS
    'The message that showed it: gate.events.id, a record; null: none did.';
COMMENT ON COLUMN gate.lane_notes.correlation_id IS
    'The event that all of it follows from; null: none.';

COMMENT ON VIEW gate.debts IS
    'What stays still owe whose vehicles have left: paid by gate.record_payment_v1 like any other.';
COMMENT ON COLUMN gate.debts.facility_id IS 'bookings.facility_id.';
COMMENT ON COLUMN gate.debts.booking_id IS 'bookings.id.';
COMMENT ON COLUMN gate.debts.ticket_number IS 'bookings.ticket_number: what is paid by.';
COMMENT ON COLUMN gate.debts.plate_number IS 'bookings.plate_number; null: nobody read it.';
COMMENT ON COLUMN gate.debts.vehicle_id IS 'bookings.vehicle_id.';
COMMENT ON COLUMN gate.debts.user_id IS 'bookings.user_id: who owes it, where that is known.';
COMMENT ON COLUMN gate.debts.entry_time IS
    'bookings.entry_time: a period of it keeps a query to the months that it needs.';
COMMENT ON COLUMN gate.debts.actual_exit IS 'bookings.actual_exit: when the vehicle left.';
COMMENT ON COLUMN gate.debts.price IS 'bookings.final_price.';
COMMENT ON COLUMN gate.debts.paid IS 'What was paid for it and not given back.';
COMMENT ON COLUMN gate.debts.due IS 'What is left of the price, more than nothing.';
COMMENT ON COLUMN gate.debts.currency IS 'bookings.currency.';
