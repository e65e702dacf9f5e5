-- The data model of gated, readable as one page.
--
-- The schema `public` is the platform's: web shop, mobile app and back office write to it too.
-- The schema `gate` is the controller's own. Stored functions (everything that locks, counts or
-- charges) stand in gated/db/functions/; `gated db init` and `gated db upgrade` get here through
-- the numbered files of gated/db/migrations/, and a test holds both ways equal. What a table
-- itself calls (a default, a generated column, a trigger) stands here; rights are in
-- gated/db/grants.sql, and monthly partitions are made by gate.ensure_partitions_v1.
--
-- Money is numeric in the facility's currency, rounded to its ISO 4217 exponent; times are
-- instants (timestamptz); wall-clock rules are read in gate.facility_settings.time_zone.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE SCHEMA gate;

-- Which numbered migrations this database holds; version 0 stands for the functions and grants,
-- which each upgrade applies anew.
CREATE TABLE gate.migrations (
    version    integer PRIMARY KEY CHECK (version >= 0),
    name       text NOT NULL,
    digest     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- ── enums of the platform ──────────────────────────────────────────────────────────────────

CREATE TYPE user_role AS ENUM ('CUSTOMER', 'OWNER', 'STAFF', 'ADMIN');
CREATE TYPE vehicle_type AS ENUM ('MOTORCYCLE', 'CAR', 'SUV', 'VAN', 'TRUCK', 'BUS');
-- In rising order: a vehicle fits its own size or a larger one.
CREATE TYPE spot_size AS ENUM ('MOTORCYCLE', 'COMPACT', 'STANDARD', 'LARGE', 'OVERSIZED');
CREATE TYPE spot_status AS ENUM ('AVAILABLE', 'OCCUPIED', 'RESERVED', 'MAINTENANCE');
CREATE TYPE booking_type AS ENUM ('WALK_IN', 'RESERVATION', 'SUBSCRIPTION');
CREATE TYPE booking_status AS ENUM
    ('PENDING', 'CONFIRMED', 'ACTIVE', 'COMPLETED', 'CANCELLED', 'NO_SHOW');
CREATE TYPE pricing_strategy AS ENUM ('FLAT', 'BLOCK');
CREATE TYPE payment_provider AS ENUM ('CARD', 'CASH', 'PAYPAL', 'STRIPE', 'ACCOUNT', 'OTHER');
CREATE TYPE payment_status AS ENUM ('PENDING', 'COMPLETED', 'FAILED', 'REFUNDED');
CREATE TYPE violation_status AS ENUM ('OPEN', 'PAID', 'WAIVED', 'DISPUTED', 'RESOLVED');

-- ── plates ─────────────────────────────────────────────────────────────────────────────────

-- The normal form of a plate; gated.core.plates does the same in Python, and a test compares.
-- Written with translate(), so that it depends on no locale: Latin, Greek and Cyrillic letters
-- become capitals, those that look Latin become Latin, and separators go. Other scripts stay.
CREATE FUNCTION gate.plate_normal_v1(plate text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(
    replace(normalize(plate, NFKC), 'ß', 'SS'),
        'abcdefghijklmnopqrstuvwxyzàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ'
        'āăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĵķĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżž'
        'ΑΒΕΖΗΙΚΜΝΟΡΤΥΧάέήίαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ'
        'ЅІЈАВЕКМНОРСТУХабвгдежзийклмнопрстуфхцчшщъыьэюяѐёђѓєѕіїјљњћќѝўџ'
        'ґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӂӄӆӈӊӌӎӏӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿ'
        ' -–—_.·•:/|''’' || chr(9),
        'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŸ'
        'ĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮIĴĶĹĻĽŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŹŻŽ'
        'ABEZHIKMNOPTYXΆΈΉΊABΓΔEZHΘIKΛMNΞOΠPΣΣTYΦXΨΩΪΫΌΎΏ'
        'SIJABEKMHOPCTYXAБBГДEЖЗИЙKЛMHOПPCTYФXЦЧШЩЪЫЬЭЮЯЀЁЂЃЄSIЇJЉЊЋЌЍЎЏ'
        'ҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӁӃӅӇӉӋӍӀӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾ'
);

-- ── tickets ────────────────────────────────────────────────────────────────────────────────

-- Crockford's base 32, at least six digits, and his check character (modulo 37): one wrong or
-- two swapped characters are noticed. Unique as long as the numbers are.
CREATE FUNCTION gate.ticket_text_v1(number bigint) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    symbols CONSTANT text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';
    remaining bigint := number;
    digits text := substr(symbols, (number % 37)::integer + 1, 1);
BEGIN
    WHILE remaining > 0 OR length(digits) < 7 LOOP
        digits := substr(symbols, (remaining % 32)::integer + 1, 1) || digits;
        remaining := remaining / 32;
    END LOOP;
    RETURN digits;
END $$;

CREATE SEQUENCE gate.ticket_numbers;

-- The next free ticket number: what a booking gets that is inserted without one.
CREATE FUNCTION gate.ticket_number_v1() RETURNS text
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT gate.ticket_text_v1(nextval('gate.ticket_numbers')) $$;

-- The directory of all bookings, over all months: a key of the partitioned table itself would
-- have to contain the month. It keeps ticket numbers and booking ids unique, leads from an id
-- to its month, and gives foreign keys something to point at. A trigger on bookings writes it.
CREATE TABLE gate.tickets (
    ticket_number text NOT NULL,
    booking_id    uuid NOT NULL,
    entry_time    timestamptz NOT NULL,
    CONSTRAINT tickets_pkey PRIMARY KEY (ticket_number),
    CONSTRAINT tickets_booking_key UNIQUE (booking_id)
);

-- ── the platform's tables ──────────────────────────────────────────────────────────────────

CREATE TABLE users (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email       text NOT NULL,
    role        user_role NOT NULL DEFAULT 'CUSTOMER',
    phone       text,
    is_verified boolean NOT NULL DEFAULT false,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

CREATE TABLE vehicles (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Null for a vehicle that is only known to be blocked.
    user_id        uuid REFERENCES users,
    plate_number   text NOT NULL,
    plate_normal   text NOT NULL GENERATED ALWAYS AS (gate.plate_normal_v1(plate_number)) STORED,
    vehicle_type   vehicle_type NOT NULL DEFAULT 'CAR',
    is_verified    boolean NOT NULL DEFAULT false,
    is_active      boolean NOT NULL DEFAULT true,
    is_blocked     boolean NOT NULL DEFAULT false,
    blocked_reason text,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_vehicles_plate ON vehicles (plate_number, is_active) WHERE is_active = true;
CREATE INDEX vehicles_plate_normal_idx ON vehicles (plate_normal) WHERE is_active;
CREATE INDEX vehicles_user_idx ON vehicles (user_id);

CREATE TABLE facilities (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id        uuid REFERENCES users,
    name            text NOT NULL,
    city            text NOT NULL,
    latitude        numeric(9, 6) CHECK (latitude BETWEEN -90 AND 90),
    longitude       numeric(9, 6) CHECK (longitude BETWEEN -180 AND 180),
    total_spots     integer NOT NULL DEFAULT 0 CHECK (total_spots >= 0),
    available_spots integer NOT NULL DEFAULT 0 CHECK (available_spots >= 0),
    is_active       boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_facilities_city ON facilities (city, is_active) WHERE is_active = true;

CREATE TABLE zones (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id     uuid NOT NULL REFERENCES facilities,
    name            text NOT NULL,
    code            text NOT NULL,
    total_spots     integer NOT NULL DEFAULT 0 CHECK (total_spots >= 0),
    available_spots integer NOT NULL DEFAULT 0 CHECK (available_spots >= 0),
    is_active       boolean NOT NULL DEFAULT true,
    CONSTRAINT zones_code_key UNIQUE (facility_id, code)
);

CREATE TABLE parking_spots (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    zone_id         uuid NOT NULL REFERENCES zones,
    spot_number     text NOT NULL,
    -- The number with each run of digits ten places wide: sorts A-2 before A-10, in any locale.
    spot_order      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (regexp_replace(
        regexp_replace(spot_number COLLATE "C", '([0-9]+)', '0000000000\1', 'g'),
        '[0-9]*([0-9]{10})', '\1', 'g')) STORED,
    size            spot_size NOT NULL DEFAULT 'STANDARD',
    status          spot_status NOT NULL DEFAULT 'AVAILABLE',
    has_ev_charger  boolean NOT NULL DEFAULT false,
    is_accessible   boolean NOT NULL DEFAULT false,
    -- The booking that stands on the spot, by way of the directory: bookings has no key on id.
    current_booking uuid REFERENCES gate.tickets (booking_id) DEFERRABLE INITIALLY DEFERRED,
    is_active       boolean NOT NULL DEFAULT true,
    CONSTRAINT parking_spots_number_key UNIQUE (zone_id, spot_number)
);
CREATE INDEX idx_spots_status_size ON parking_spots (status, size, is_active) WHERE is_active = true;
CREATE INDEX idx_spots_locking ON parking_spots (id, status, is_active) WHERE is_active = true;
CREATE INDEX parking_spots_booking_idx ON parking_spots (current_booking)
    WHERE current_booking IS NOT NULL;
-- Finds the lowest free spot of a zone without reading the taken ones.
CREATE INDEX parking_spots_free_idx ON parking_spots (zone_id, spot_order)
    WHERE is_active AND status = 'AVAILABLE';

-- A version of a tariff. Never edited: a change ends its validity and begins a new row.
CREATE TABLE pricing_rules (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id  uuid NOT NULL REFERENCES facilities,
    name         text NOT NULL,
    strategy     pricing_strategy NOT NULL,
    config       jsonb NOT NULL,
    -- The highest priority that is valid at entry governs the stay.
    priority     integer NOT NULL DEFAULT 0,
    free_minutes integer NOT NULL DEFAULT 0 CHECK (free_minutes >= 0),
    valid_from   timestamptz NOT NULL DEFAULT now(),
    valid_until  timestamptz,
    CONSTRAINT pricing_rules_validity_check CHECK (valid_until > valid_from),
    CONSTRAINT pricing_rules_free_reading_check CHECK (
        free_minutes = 0 OR config ->> 'free_minutes_reading' IN ('deducted', 'threshold')
    ),
    CONSTRAINT pricing_rules_config_check CHECK (
        CASE strategy
            WHEN 'FLAT' THEN (config ->> 'amount')::numeric >= 0
            WHEN 'BLOCK' THEN (config ->> 'block_price')::numeric >= 0
                AND (config ->> 'block_minutes')::integer > 0
        END IS TRUE
    )
);
CREATE INDEX pricing_rules_facility_idx ON pricing_rules (facility_id, valid_from);

CREATE TABLE payments (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         uuid REFERENCES users,
    amount          numeric(14, 4) NOT NULL CHECK (amount >= 0),
    currency        char(3) NOT NULL,
    provider        payment_provider NOT NULL,
    status          payment_status NOT NULL DEFAULT 'PENDING',
    provider_txn_id text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- A payment that is told twice counts once.
    CONSTRAINT payments_provider_txn_key UNIQUE (provider, provider_txn_id)
);
CREATE INDEX payments_status_idx ON payments (status);
CREATE INDEX payments_provider_txn_idx ON payments (provider_txn_id);
CREATE INDEX payments_user_idx ON payments (user_id);

CREATE TABLE subscriptions (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id   uuid NOT NULL REFERENCES facilities,
    name          text NOT NULL,
    price         numeric(14, 4) NOT NULL CHECK (price >= 0),
    duration_days integer NOT NULL CHECK (duration_days > 0),
    -- Null: any number of entries.
    entry_count   integer CHECK (entry_count > 0),
    is_active     boolean NOT NULL DEFAULT true
);
CREATE INDEX subscriptions_facility_idx ON subscriptions (facility_id);

CREATE TABLE user_subscriptions (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id           uuid NOT NULL REFERENCES users,
    subscription_id   uuid NOT NULL REFERENCES subscriptions,
    activated_at      timestamptz NOT NULL DEFAULT now(),
    expires_at        timestamptz NOT NULL,
    -- Null: any number of entries.
    entries_remaining integer CHECK (entries_remaining >= 0),
    CONSTRAINT user_subscriptions_validity_check CHECK (expires_at > activated_at)
);
CREATE INDEX user_subscriptions_user_idx ON user_subscriptions (user_id, expires_at);
CREATE INDEX user_subscriptions_subscription_idx ON user_subscriptions (subscription_id);

-- ── the controller's settings ──────────────────────────────────────────────────────────────

-- ISO 4217: how many decimals a currency has. Filled by the migrations.
CREATE TABLE gate.currencies (
    code     char(3) PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);

CREATE TABLE gate.facility_settings (
    facility_id uuid PRIMARY KEY REFERENCES public.facilities,
    slug        text NOT NULL CONSTRAINT facility_settings_slug_key UNIQUE
                CHECK (slug ~ '^[a-z0-9-]+$'),
    time_zone   text NOT NULL,
    currency    char(3) NOT NULL REFERENCES gate.currencies,
    policy      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(policy) = 'object'),
    -- Grows with each change of the set-up; a running daemon sees it at its next renewal.
    revision    bigint NOT NULL DEFAULT 1
);

CREATE TABLE gate.lanes (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES public.facilities,
    slug        text NOT NULL CHECK (slug ~ '^[a-z0-9-]+$'),
    direction   text NOT NULL CHECK (direction IN ('entry', 'exit')),
    policy      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(policy) = 'object'),
    is_active   boolean NOT NULL DEFAULT true,
    CONSTRAINT lanes_slug_key UNIQUE (facility_id, slug)
);

-- The zones that an entry lane fills, in this order.
CREATE TABLE gate.lane_zones (
    lane_id  uuid NOT NULL REFERENCES gate.lanes ON DELETE CASCADE,
    zone_id  uuid NOT NULL REFERENCES public.zones,
    position integer NOT NULL CHECK (position >= 0),
    PRIMARY KEY (lane_id, zone_id)
);

CREATE TABLE gate.devices (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES public.facilities,
    lane_id     uuid NOT NULL REFERENCES gate.lanes,
    slug        text NOT NULL CHECK (slug ~ '^[a-z0-9-]+$'),
    family      text NOT NULL,
    topic       text NOT NULL DEFAULT '',
    options     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    is_active   boolean NOT NULL DEFAULT true,
    CONSTRAINT devices_slug_key UNIQUE (facility_id, slug)
);
CREATE INDEX devices_lane_idx ON gate.devices (lane_id);

-- Who acts for a facility. The fence grows at each change of holder, and every transaction
-- that writes for the facility checks it; only the database's clock decides the expiry.
CREATE TABLE gate.leases (
    facility_id uuid PRIMARY KEY REFERENCES public.facilities,
    holder      text,
    fence       bigint NOT NULL DEFAULT 0,
    expires_at  timestamptz
);

-- ── stays ──────────────────────────────────────────────────────────────────────────────────

-- A reservation or a stay. Most vehicles are strangers: user_id and vehicle_id may be null.
CREATE TABLE bookings (
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id         uuid REFERENCES users,
    vehicle_id      uuid REFERENCES vehicles,
    spot_id         uuid REFERENCES parking_spots,
    facility_id     uuid NOT NULL REFERENCES facilities,
    -- Unique over all months: see gate.tickets.
    ticket_number   text NOT NULL DEFAULT gate.ticket_number_v1(),
    booking_type    booking_type NOT NULL DEFAULT 'WALK_IN',
    status          booking_status NOT NULL DEFAULT 'PENDING',
    entry_time      timestamptz NOT NULL,
    expected_exit   timestamptz,
    actual_exit     timestamptz,
    estimated_price numeric(14, 4) CHECK (estimated_price >= 0),
    final_price     numeric(14, 4) CHECK (final_price >= 0),
    payment_id      uuid REFERENCES payments,
    -- The normal form of the plate, and the camera's own text.
    plate_number    text,
    plate_raw       text,
    currency        char(3) REFERENCES gate.currencies,
    -- Frozen with the price: the governing rule version and the line-by-line explanation.
    pricing_rule_id uuid REFERENCES pricing_rules,
    price_lines     jsonb,
    entry_lane_id   uuid REFERENCES gate.lanes,
    exit_lane_id    uuid REFERENCES gate.lanes,
    -- How the passage is known; null until the vehicle has passed.
    entry_known     text CHECK (entry_known IN ('measured', 'reported', 'assumed')),
    exit_known      text CHECK (exit_known IN ('measured', 'reported', 'assumed')),
    cancel_reason   text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, entry_time),
    CONSTRAINT bookings_exit_check CHECK (actual_exit >= entry_time),
    CONSTRAINT bookings_expected_exit_check CHECK (expected_exit > entry_time)
) PARTITION BY RANGE (entry_time);
CREATE INDEX idx_bookings_facility_status ON bookings (facility_id, status, entry_time);
CREATE INDEX idx_bookings_user_status ON bookings (user_id, status);
CREATE INDEX idx_bookings_overlap ON bookings (spot_id, status, entry_time, expected_exit)
    WHERE status IN ('CONFIRMED', 'ACTIVE');
CREATE INDEX bookings_ticket_idx ON bookings (ticket_number);
-- Finds a vehicle that was let out and has not been seen passing yet.
CREATE INDEX bookings_plate_idx ON bookings (facility_id, plate_number, entry_time);

-- A booking that moves to another month arrives here as a delete and then an insert.
CREATE FUNCTION gate.bookings_ticket() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            INSERT INTO gate.tickets (ticket_number, booking_id, entry_time)
            VALUES (NEW.ticket_number, NEW.id, NEW.entry_time);
        WHEN 'UPDATE' THEN
            UPDATE gate.tickets
            SET ticket_number = NEW.ticket_number, booking_id = NEW.id, entry_time = NEW.entry_time
            WHERE booking_id = OLD.id;
        WHEN 'DELETE' THEN
            DELETE FROM gate.tickets WHERE booking_id = OLD.id;
    END CASE;
    RETURN NULL;
END $$;
CREATE TRIGGER bookings_ticket
    AFTER INSERT OR DELETE OR UPDATE OF id, ticket_number, entry_time ON bookings
    FOR EACH ROW EXECUTE FUNCTION gate.bookings_ticket();

-- The live claims on spots: the referee behind the row lock. A row ends with its stay, so the
-- table stays as small as the car parks are large. While a claim stands, its booking cannot go.
CREATE TABLE gate.claims (
    id          uuid PRIMARY KEY,
    facility_id uuid NOT NULL REFERENCES public.facilities,
    zone_id     uuid NOT NULL REFERENCES public.zones,
    spot_id     uuid NOT NULL REFERENCES public.parking_spots,
    booking_id  uuid NOT NULL
                REFERENCES gate.tickets (booking_id) DEFERRABLE INITIALLY DEFERRED,
    entry_time  timestamptz NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('stay', 'reservation')),
    plate       text,
    during      tstzrange NOT NULL CHECK (NOT isempty(during)),
    CONSTRAINT claims_spot_excl EXCLUDE USING gist (spot_id WITH =, during WITH &&),
    CONSTRAINT claims_booking_key UNIQUE (booking_id)
);
-- One open stay per plate and facility.
CREATE UNIQUE INDEX claims_stay_plate_key ON gate.claims (facility_id, plate)
    WHERE kind = 'stay' AND plate IS NOT NULL;
CREATE INDEX claims_zone_idx ON gate.claims (zone_id, kind);

CREATE TABLE violations (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        uuid REFERENCES users,
    vehicle_id     uuid REFERENCES vehicles,
    facility_id    uuid NOT NULL REFERENCES facilities,
    -- Outlives its booking by three years, so no foreign key: a trigger asks that the booking
    -- exists when the row is written, and archiving leaves the id standing.
    booking_id     uuid,
    violation_type text NOT NULL,
    penalty_amount numeric(14, 4) NOT NULL DEFAULT 0 CHECK (penalty_amount >= 0),
    status         violation_status NOT NULL DEFAULT 'OPEN',
    violation_time timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION gate.violations_booking() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The lock keeps the booking from being deleted before this transaction ends.
    PERFORM FROM gate.tickets WHERE booking_id = NEW.booking_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('violations.booking_id: there is no booking %s', NEW.booking_id),
            CONSTRAINT = 'violations_booking_fkey', SCHEMA = 'public', TABLE = 'violations';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER violations_booking_insert AFTER INSERT ON violations
    FOR EACH ROW WHEN (NEW.booking_id IS NOT NULL)
    EXECUTE FUNCTION gate.violations_booking();
-- Only when it changes: the status of an old violation moves on after its booking is archived.
CREATE TRIGGER violations_booking_update AFTER UPDATE OF booking_id ON violations
    FOR EACH ROW WHEN (NEW.booking_id IS DISTINCT FROM OLD.booking_id AND NEW.booking_id IS NOT NULL)
    EXECUTE FUNCTION gate.violations_booking();
CREATE INDEX violations_facility_idx ON violations (facility_id, status, violation_time);
CREATE INDEX violations_vehicle_idx ON violations (vehicle_id, status);

CREATE TABLE facility_staff (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id  uuid NOT NULL REFERENCES facilities,
    staff_member uuid NOT NULL REFERENCES users,
    permissions  text[] NOT NULL DEFAULT '{}',
    CONSTRAINT facility_staff_member_key UNIQUE (facility_id, staff_member)
);

-- Who did what, on what, when. Append-only for everyone but the owner.
CREATE TABLE audit_logs (
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id        uuid REFERENCES users,
    action         text NOT NULL,
    resource_type  text NOT NULL,
    resource_id    uuid,
    "timestamp"    timestamptz NOT NULL DEFAULT now(),
    facility_id    uuid REFERENCES facilities,
    -- Who it was where no user was: 'gated', 'operator', a job's name.
    actor          text NOT NULL DEFAULT 'gated',
    correlation_id uuid,
    details        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE INDEX idx_audit_logs_recent ON audit_logs ("timestamp" DESC);
CREATE INDEX audit_logs_correlation_idx ON audit_logs (correlation_id);

-- ── the inbox ──────────────────────────────────────────────────────────────────────────────

-- One row per received message and device, stored before the broker gets its acknowledgement.
CREATE TABLE gate.events (
    id          uuid NOT NULL,
    -- The order of arrival.
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    facility_id uuid NOT NULL REFERENCES public.facilities,
    device_id   uuid REFERENCES gate.devices,
    lane_id     uuid REFERENCES gate.lanes,
    event_key   text NOT NULL,
    kind        text NOT NULL,
    topic       text NOT NULL,
    payload     bytea NOT NULL,
    status      text NOT NULL CHECK (status IN ('new', 'done', 'quarantined', 'dropped')),
    -- What became of it, once done.
    outcome     text,
    error       text,
    device_at   timestamptz,
    received_at timestamptz NOT NULL,
    settled_at  timestamptz,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX events_pending_idx ON gate.events (facility_id, seq) WHERE status = 'new';
CREATE INDEX events_lane_kind_idx ON gate.events (lane_id, kind, received_at DESC);

-- The event keys, unique over all months; purged after the longest time in which a broker or a
-- device can deliver again.
CREATE TABLE gate.event_keys (
    facility_id uuid NOT NULL REFERENCES public.facilities,
    event_key   text NOT NULL,
    event_id    uuid NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT event_keys_pkey PRIMARY KEY (facility_id, event_key)
);
CREATE INDEX event_keys_received_idx ON gate.event_keys (received_at);

-- ── decisions and the outbox ───────────────────────────────────────────────────────────────

CREATE TABLE gate.decisions (
    id          uuid NOT NULL,
    facility_id uuid NOT NULL REFERENCES public.facilities,
    lane_id     uuid NOT NULL REFERENCES gate.lanes,
    -- The inbox row that asked; the correlation id of all that follows.
    event_id    uuid NOT NULL,
    decision    text NOT NULL CHECK (decision IN ('grant', 'deny')),
    reason      text NOT NULL,
    plate       text,
    plate_raw   text,
    confidence  real,
    stay_id     uuid,
    zone_id     uuid REFERENCES public.zones,
    spot_id     uuid REFERENCES public.parking_spots,
    price       numeric(14, 4),
    currency    char(3),
    command_id  uuid,
    received_at timestamptz NOT NULL,
    decided_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, decided_at)
) PARTITION BY RANGE (decided_at);
CREATE INDEX decisions_plate_idx ON gate.decisions (facility_id, plate, decided_at DESC);
CREATE INDEX decisions_event_idx ON gate.decisions (event_id);
CREATE INDEX decisions_stay_idx ON gate.decisions (stay_id);

-- Commands, committed with their cause. `confirmed` is the hardware's own report.
CREATE TABLE gate.commands (
    id              uuid PRIMARY KEY,
    facility_id     uuid NOT NULL REFERENCES public.facilities,
    lane_id         uuid NOT NULL REFERENCES gate.lanes,
    device_id       uuid NOT NULL REFERENCES gate.devices,
    event_id        uuid NOT NULL,
    do_what         text NOT NULL CHECK (do_what IN ('open', 'deny', 'close', 'hold', 'release')),
    reason          text NOT NULL,
    plate           text,
    stay_id         uuid,
    price           numeric(14, 4),
    currency        char(3),
    fence           bigint NOT NULL,
    status          text NOT NULL DEFAULT 'accepted' CHECK (status IN (
        'accepted', 'dispatched', 'acknowledged', 'confirmed',
        'expired', 'failed', 'unknown', 'cancelled')),
    issued_at       timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    dispatched_at   timestamptz,
    acknowledged_at timestamptz,
    confirmed_at    timestamptz,
    ended_at        timestamptz,
    error           text,
    CONSTRAINT commands_expiry_check CHECK (expires_at > issued_at)
);
CREATE INDEX commands_live_idx ON gate.commands (facility_id, issued_at)
    WHERE status IN ('accepted', 'dispatched');
CREATE INDEX commands_stay_idx ON gate.commands (stay_id);

-- What does not fit together and waits for an operator. Never corrected silently.
CREATE TABLE gate.reconciliations (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES public.facilities,
    kind        text NOT NULL,
    details     jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolved_by uuid REFERENCES public.users
);
CREATE INDEX reconciliations_open_idx ON gate.reconciliations (facility_id) WHERE resolved_at IS NULL;

-- ── what \d+ shows ─────────────────────────────────────────────────────────────────────────

COMMENT ON SCHEMA gate IS 'The controller of entrances and exits: its own tables and functions.';

COMMENT ON TABLE users IS 'Accounts: customers, owners, staff.';
COMMENT ON TABLE vehicles IS 'Vehicles with an owner, and plates that are blocked.';
COMMENT ON TABLE facilities IS 'Car parks. Settings of the controller: gate.facility_settings.';
COMMENT ON TABLE zones IS 'Counted areas of a facility.';
COMMENT ON TABLE parking_spots IS 'Single bays.';
COMMENT ON TABLE pricing_rules IS 'Versions of tariffs. Never edited: a change ends one row and begins another.';
COMMENT ON TABLE payments IS 'Payments, by whatever way.';
COMMENT ON TABLE subscriptions IS 'What can be subscribed to at a facility.';
COMMENT ON TABLE user_subscriptions IS 'Who subscribed to what, until when.';
COMMENT ON TABLE bookings IS 'Reservations and stays, by month of entry (UTC).';
COMMENT ON TABLE violations IS 'Offences and their penalties. They outlive the bookings that they name.';
COMMENT ON TABLE facility_staff IS 'Who may do what at a facility.';
COMMENT ON TABLE audit_logs IS 'Who did what, on what, when, by month (UTC). Append-only.';
COMMENT ON TABLE gate.migrations IS 'Applied migrations; version 0: functions and grants.';
COMMENT ON TABLE gate.currencies IS 'ISO 4217 codes with their number of decimal places.';
COMMENT ON TABLE gate.facility_settings IS 'What the controller knows of a facility beyond the platform.';
COMMENT ON TABLE gate.lanes IS 'One-way passages with a barrier.';
COMMENT ON TABLE gate.lane_zones IS 'The zones that an entry lane fills, in order of position.';
COMMENT ON TABLE gate.devices IS 'Cameras, barriers and sensors of the lanes.';
COMMENT ON TABLE gate.leases IS 'Which daemon acts for a facility; the fence grows at each change of holder.';
COMMENT ON TABLE gate.tickets IS 'The directory of bookings over all months: unique ids and ticket numbers.';
COMMENT ON TABLE gate.claims IS 'Who has which spot when, while it lasts: no two may overlap.';
COMMENT ON TABLE gate.events IS 'The inbox: messages of the devices, by month of receipt (UTC).';
COMMENT ON TABLE gate.event_keys IS 'Keys of received messages, to know a repeated one; purged by age.';
COMMENT ON TABLE gate.decisions IS 'Grants and denials with their reasons, by month (UTC).';
COMMENT ON TABLE gate.commands IS 'The outbox: what barriers were told, and what became of it.';
COMMENT ON TABLE gate.reconciliations IS 'Contradictions that wait for an operator.';

COMMENT ON COLUMN vehicles.user_id IS 'Null for a vehicle that is only known to be blocked.';
COMMENT ON COLUMN vehicles.plate_normal IS 'What reads are matched with; made from plate_number.';
COMMENT ON COLUMN facilities.available_spots IS 'Spots that can still be given out: kept by the stored functions.';
COMMENT ON COLUMN zones.available_spots IS 'Spots that can still be given out: kept by the stored functions.';
COMMENT ON COLUMN parking_spots.current_booking IS 'The booking that stands on the spot: bookings.id.';
COMMENT ON COLUMN pricing_rules.priority IS 'The highest that is valid at entry governs the stay.';
COMMENT ON COLUMN subscriptions.entry_count IS 'Entries that it is good for; null: any number.';
COMMENT ON COLUMN user_subscriptions.entries_remaining IS 'Null: any number.';
COMMENT ON COLUMN bookings.ticket_number IS 'Unique over all months; made by gate.ticket_number_v1 if left out.';
COMMENT ON COLUMN bookings.plate_number IS 'The normal form of the plate; plate_raw is what the camera sent.';
COMMENT ON COLUMN bookings.pricing_rule_id IS 'The version of the tariff that priced the stay.';
COMMENT ON COLUMN bookings.price_lines IS 'The price line by line, frozen at exit.';
COMMENT ON COLUMN bookings.entry_known IS 'How the passage is known; null until the vehicle has passed.';
COMMENT ON COLUMN bookings.exit_known IS 'How the passage is known; null until the vehicle has passed.';
COMMENT ON COLUMN violations.booking_id IS 'Existed when it was written; may be archived by now.';
COMMENT ON COLUMN audit_logs.actor IS 'Who it was where no user was: gated, operator, a job.';
COMMENT ON COLUMN gate.facility_settings.revision IS 'Grows with each change of the set-up.';
COMMENT ON COLUMN gate.leases.holder IS 'One run of one daemon, not a host.';
COMMENT ON COLUMN gate.claims.during IS 'From entry (or reserved time) on; open-ended while the vehicle is inside.';
COMMENT ON COLUMN gate.events.seq IS 'The order of arrival.';
COMMENT ON COLUMN gate.events.event_key IS 'The device''s own id of the message, else a digest.';
COMMENT ON COLUMN gate.decisions.event_id IS 'The inbox row that asked: the correlation id of all that follows.';
COMMENT ON COLUMN gate.commands.do_what IS 'What the barrier is told.';
COMMENT ON COLUMN gate.commands.expires_at IS 'From then on it is never sent.';
