-- The data model of gated, readable as one page.
--
-- The schema `public` is the platform's: web shop, mobile app and back office write to it too.
-- The schema `gate` is the controller's own. Stored functions (everything that locks, counts or
-- charges) stand in gated/db/functions/; `gated db init` and `gated db upgrade` get here through
-- the numbered files of gated/db/migrations/, and a test holds both ways equal. What a table
-- itself calls (a default, a generated column, a trigger) stands here; rights are in
-- gated/db/grants.sql, and monthly partitions are made by gate.ensure_partitions_v1.
--
-- What gated writes at each vehicle (events, decisions, commands, claims, audit) names its facility,
-- zone, lane and device by their ids, without foreign keys: a key is looked up by a lock on the row
-- that it points at, and there all vehicles of a facility would meet. Those rows are taken out of
-- service and never deleted.
--
-- Rows that change with each vehicle are vacuumed by their number, not by their share of the table.
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
CREATE TYPE pricing_strategy AS ENUM ('FLAT', 'BLOCK', 'TIER', 'BAND');
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

-- ISO 4217: how many decimals a currency has. Filled by the migrations.
CREATE TABLE gate.currencies (
    code     char(3) PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);

-- ── the platform's tables ──────────────────────────────────────────────────────────────────

CREATE TABLE users (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email       text NOT NULL CHECK (email LIKE '_%@_%'),
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
    created_at     timestamptz NOT NULL DEFAULT now(),
    -- Wants a spot with a charger; may stand on an accessible one.
    is_electric           boolean NOT NULL DEFAULT false,
    has_accessible_permit boolean NOT NULL DEFAULT false,
    CONSTRAINT vehicles_plate_check CHECK (plate_normal <> '')
);
CREATE INDEX idx_vehicles_plate ON vehicles (plate_number, is_active) WHERE is_active = true;
CREATE INDEX vehicles_plate_normal_idx ON vehicles (plate_normal) WHERE is_active;
CREATE INDEX vehicles_user_idx ON vehicles (user_id);

CREATE TABLE facilities (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id        uuid REFERENCES users,
    name            text NOT NULL CHECK (name <> ''),
    city            text NOT NULL,
    latitude        numeric(9, 6) CHECK (latitude BETWEEN -90 AND 90),
    longitude       numeric(9, 6) CHECK (longitude BETWEEN -180 AND 180),
    total_spots     integer NOT NULL DEFAULT 0 CHECK (total_spots >= 0),
    available_spots integer NOT NULL DEFAULT 0 CHECK (available_spots >= 0),
    is_active       boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT facilities_place_check CHECK ((latitude IS NULL) = (longitude IS NULL)),
    CONSTRAINT facilities_available_check CHECK (available_spots <= total_spots)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500);
CREATE INDEX idx_facilities_city ON facilities (city, is_active) WHERE is_active = true;

CREATE TABLE zones (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id     uuid NOT NULL REFERENCES facilities,
    name            text NOT NULL CHECK (name <> ''),
    code            text NOT NULL CHECK (code <> ''),
    total_spots     integer NOT NULL DEFAULT 0 CHECK (total_spots >= 0),
    available_spots integer NOT NULL DEFAULT 0 CHECK (available_spots >= 0),
    is_active       boolean NOT NULL DEFAULT true,
    CONSTRAINT zones_code_key UNIQUE (facility_id, code),
    CONSTRAINT zones_available_check CHECK (available_spots <= total_spots)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500);

CREATE TABLE parking_spots (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    zone_id         uuid NOT NULL REFERENCES zones,
    spot_number     text NOT NULL CHECK (spot_number <> ''),
    -- The number with each run of digits ten places wide: sorts A-2 before A-10, in any locale.
    spot_order      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (regexp_replace(
        regexp_replace(spot_number COLLATE "C", '([0-9]+)', '0000000000\1', 'g'),
        '[0-9]*([0-9]{10})', '\1', 'g')) STORED,
    size            spot_size NOT NULL DEFAULT 'STANDARD',
    status          spot_status NOT NULL DEFAULT 'AVAILABLE',
    has_ev_charger  boolean NOT NULL DEFAULT false,
    is_accessible   boolean NOT NULL DEFAULT false,
    -- The booking that stands on the spot, or is about to, by way of the directory: bookings has no key on id.
    current_booking uuid REFERENCES gate.tickets (booking_id) DEFERRABLE INITIALLY DEFERRED,
    is_active       boolean NOT NULL DEFAULT true,
    CONSTRAINT parking_spots_number_key UNIQUE (zone_id, spot_number)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000);
CREATE INDEX idx_spots_status_size ON parking_spots (status, size, is_active) WHERE is_active = true;
CREATE INDEX idx_spots_locking ON parking_spots (id, status, is_active) WHERE is_active = true;
CREATE INDEX parking_spots_booking_idx ON parking_spots (current_booking)
    WHERE current_booking IS NOT NULL;
-- Finds the smallest and lowest free spot of its kind without reading the taken ones.
CREATE INDEX parking_spots_free_idx
    ON parking_spots (zone_id, has_ev_charger, is_accessible, size, spot_order)
    WHERE is_active AND status = 'AVAILABLE';

-- ── tariffs ────────────────────────────────────────────────────────────────────────────────

-- What a tariff's config is made of. Null for what is left out, so that a check lets it be.
CREATE FUNCTION gate.is_amount_v1(p_value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN jsonb_typeof(p_value) = 'string' AND (p_value #>> '{}') ~ '^[0-9]{1,10}([.][0-9]{1,8})?$';

CREATE FUNCTION gate.is_percent_v1(p_value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN gate.is_amount_v1(p_value) THEN (p_value #>> '{}')::numeric <= 100 ELSE false END;

CREATE FUNCTION gate.is_clock_v1(p_value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN jsonb_typeof(p_value) = 'string'
    AND (p_value #>> '{}') ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$';

CREATE FUNCTION gate.is_count_v1(p_value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN jsonb_typeof(p_value) = 'number' AND (p_value #>> '{}') ~ '^[1-9][0-9]{0,7}$';

CREATE FUNCTION gate.is_list_v1(p_value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE jsonb_typeof(p_value) WHEN 'array' THEN jsonb_array_length(p_value) > 0 ELSE false END;

-- What is wrong with a tariff, a line each; none if gate.price_stay_v1 can price by it. It asks for
-- what the function relies on, and for an answer to each reading that people dispute; gated.tariff
-- asks for more, and names the place in the file. docs/tariffs.md describes the fields.
CREATE FUNCTION gate.tariff_faults_v1(
    p_strategy pricing_strategy, p_config jsonb, p_free_minutes integer
) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH part AS (
        -- What has prices of time: the tariff itself, or each of its bands.
        SELECT t.part, t.place, t.n
        FROM (SELECT p_config, 'config', 0::bigint WHERE p_strategy <> 'BAND'
            UNION ALL
            SELECT b.band, 'bands[' || b.n - 1 || ']', b.n
            FROM jsonb_path_query(p_config, 'lax $.bands[*]') WITH ORDINALITY b (band, n)
            WHERE p_strategy = 'BAND') t (part, place, n)
    ), step AS (
        SELECT s.step, part.place || '.steps[' || s.n - 1 || ']' AS place,
            s.n = jsonb_array_length(jsonb_path_query_array(part.part, 'lax $.steps[*]')) AS last
        FROM part, jsonb_path_query(part.part, 'lax $.steps[*]') WITH ORDINALITY s (step, n)
    ), tier AS (
        SELECT t.tier, part.place || '.tiers[' || t.n - 1 || ']' AS place,
            t.n = jsonb_array_length(jsonb_path_query_array(part.part, 'lax $.tiers[*]')) AS last,
            lag(t.tier) OVER (PARTITION BY part.n ORDER BY t.n) AS before
        FROM part, jsonb_path_query(part.part, 'lax $.tiers[*]') WITH ORDINALITY t (tier, n)
    ), cap AS (
        SELECT c.cap, 'caps[' || c.n - 1 || ']' AS place
        FROM jsonb_path_query(p_config, 'lax $.caps[*]') WITH ORDINALITY c (cap, n)
    ), special AS (
        SELECT s.special, 'specials[' || s.n - 1 || ']' AS place
        FROM jsonb_path_query(p_config, 'lax $.specials[*]') WITH ORDINALITY s (special, n)
    ), asked (field, needed, answers) AS (
        VALUES
            ('zero_stay', true, '{free,charged}'::text[]),
            ('second_visit', true, '{separate,continued,reduced}'),
            ('limit_reading', EXISTS (SELECT FROM step) OR EXISTS (SELECT FROM tier),
                '{inclusive,exclusive}'),
            ('new_day', EXISTS (SELECT FROM step) OR EXISTS (SELECT FROM tier),
                '{continue,rolling_24h,calendar_day}'),
            ('band_border', (SELECT count(*) > 1 FROM part), '{restart,continue}'),
            ('free_minutes_reading', p_free_minutes > 0, '{deducted,threshold}'),
            ('free_minutes_limit', p_free_minutes > 0, '{inclusive,exclusive}'),
            ('special_wins', EXISTS (SELECT FROM special), '{listed,cheapest_special,cheapest}'),
            ('entrance_fee_capped', p_config ? 'entrance_fee' AND EXISTS (SELECT FROM cap),
                '{true,false}'),
            ('occupancy_caps', p_config ? 'occupancy' AND (EXISTS (SELECT FROM cap) OR EXISTS (
                SELECT FROM part WHERE part.part ? 'maximum')), '{raised,fixed}'),
            ('tax_included', p_config ? 'taxes', '{true,false}'),
            ('tax_per', p_config ? 'taxes', '{line,total}'),
            ('validation_order', p_config ? 'validations', '{listed,given}'),
            ('validation_stacking', p_config ? 'validations', '{all,best}')
    ), fault (text) AS (
        SELECT format('%s: expected one of %s', a.field, array_to_string(a.answers, ', '))
        FROM asked a
        WHERE (a.needed OR p_config ? a.field) AND (p_config ->> a.field = ANY (a.answers)) IS NOT TRUE
        UNION ALL
        SELECT k || ': no such field'
        FROM jsonb_object_keys(
            CASE jsonb_typeof(p_config) WHEN 'object' THEN p_config ELSE '{}' END) k
        WHERE k <> ALL ('{amount,steps,tiers,bands,for,day_begins,entrance_fee,minimum,caps,specials,
            occupancy,reservation,lost_ticket,validations,second_visit_minutes,
            second_visit_percent,taxes,rounding}'::text[])
            AND k NOT IN (SELECT a.field FROM asked a)
        UNION ALL
        SELECT part.place || ': expected ' || CASE p_strategy
            WHEN 'FLAT' THEN 'amount' WHEN 'BLOCK' THEN 'steps' WHEN 'TIER' THEN 'tiers'
            ELSE 'one of steps, tiers, flat, free, unsold' END
        FROM part
        WHERE (CASE p_strategy
            WHEN 'FLAT' THEN gate.is_amount_v1(part.part -> 'amount')
                AND NOT part.part ?| '{steps,tiers,bands}'
            WHEN 'BLOCK' THEN gate.is_list_v1(part.part -> 'steps')
                AND NOT part.part ?| '{amount,tiers,bands}'
            WHEN 'TIER' THEN gate.is_list_v1(part.part -> 'tiers')
                AND NOT part.part ?| '{amount,steps,bands}'
            ELSE num_nonnulls(part.part -> 'steps', part.part -> 'tiers', part.part -> 'flat',
                    part.part -> 'free', part.part -> 'unsold') = 1
                AND coalesce(gate.is_list_v1(part.part -> 'steps'), true)
                AND coalesce(gate.is_list_v1(part.part -> 'tiers'), true)
                AND coalesce(gate.is_list_v1(part.part -> 'days'), true)
                AND coalesce(gate.is_amount_v1(part.part -> 'flat'), true)
                AND coalesce(part.part -> 'free', part.part -> 'unsold', 'true') = 'true'
                AND part.part ->> 'name' <> '' AND NOT p_config ?| '{amount,steps,tiers}'
            END) IS NOT TRUE
        UNION ALL
        SELECT f.field || ': expected a list'
        FROM unnest('{bands,caps,specials,occupancy,validations,taxes}'::text[]) f (field)
        WHERE NOT gate.is_list_v1(p_config -> f.field)
        UNION ALL
        SELECT 'bands: expected one or more' WHERE NOT EXISTS (SELECT FROM part)
        UNION ALL
        SELECT 'for: expected conditions'
        WHERE p_config ? 'for' AND (
            jsonb_typeof(p_config -> 'for') = 'object'
            AND NOT EXISTS (
                SELECT FROM jsonb_object_keys(CASE jsonb_typeof(p_config -> 'for')
                    WHEN 'object' THEN p_config -> 'for' ELSE '{}' END) k
                WHERE k <> ALL ('{vehicle_types,electric,accessible,members,reserved,zones}'))
            AND coalesce(gate.is_list_v1(p_config #> '{for,vehicle_types}'), true)
            AND coalesce(gate.is_list_v1(p_config #> '{for,members}'), true)
            AND coalesce(gate.is_list_v1(p_config #> '{for,zones}'), true)
            AND coalesce(jsonb_typeof(p_config #> '{for,electric}') = 'boolean', true)
            AND coalesce(jsonb_typeof(p_config #> '{for,accessible}') = 'boolean', true)
            AND coalesce(jsonb_typeof(p_config #> '{for,reserved}') = 'boolean', true)) IS NOT TRUE
        UNION ALL
        SELECT part.place || ': expected times of day as "HH:MM"' FROM part
        WHERE NOT (gate.is_clock_v1(part.part -> 'from') AND gate.is_clock_v1(part.part -> 'until'))
        UNION ALL
        SELECT step.place || ': expected minutes or seconds, a price, and times unless it is the last'
        FROM step
        WHERE (num_nonnulls(step.step -> 'minutes', step.step -> 'seconds') = 1
            AND gate.is_count_v1(coalesce(step.step -> 'minutes', step.step -> 'seconds'))
            AND gate.is_amount_v1(step.step -> 'price')
            AND coalesce(gate.is_count_v1(step.step -> 'price_minutes'), true)
            AND coalesce(gate.is_count_v1(step.step -> 'times'), step.last)) IS NOT TRUE
        UNION ALL
        SELECT tier.place || ': expected a price, and up_to_minutes unless it is the last; both rise'
        FROM tier
        WHERE (gate.is_amount_v1(tier.tier -> 'price')
            AND coalesce(gate.is_count_v1(tier.tier -> 'up_to_minutes'), tier.last)
            AND (tier.before IS NULL OR CASE WHEN gate.is_amount_v1(tier.before -> 'price')
                    AND gate.is_count_v1(tier.before -> 'up_to_minutes')
                THEN (tier.before ->> 'price')::numeric <= (tier.tier ->> 'price')::numeric
                    AND coalesce((tier.before ->> 'up_to_minutes')::integer
                        < (tier.tier ->> 'up_to_minutes')::integer, true) END)) IS NOT TRUE
        UNION ALL
        SELECT cap.place || ': expected per and amount, a reading, and week_begins for a week'
        FROM cap
        WHERE (cap.cap ->> 'per' IN (
                'rolling_24h', 'calendar_day', 'rolling_7d', 'calendar_week', 'stay')
            AND gate.is_amount_v1(cap.cap -> 'amount')
            AND coalesce(gate.is_clock_v1(cap.cap -> 'begins'), true)
            AND (cap.cap ->> 'per' = 'stay' OR cap.cap ->> 'reading' IN ('each', 'multiplied'))
            AND CASE cap.cap ->> 'per' WHEN 'calendar_week' THEN cap.cap ->> 'week_begins' IN (
                'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')
                ELSE NOT cap.cap ? 'week_begins' END) IS NOT TRUE
        UNION ALL
        SELECT special.place || ': expected name, price, times of day, and exit_day as a number or any'
        FROM special
        WHERE (special.special ->> 'name' <> '' AND gate.is_amount_v1(special.special -> 'price')
            AND coalesce(gate.is_clock_v1(special.special -> 'enter_from'), true)
            AND coalesce(gate.is_clock_v1(special.special -> 'enter_until'), true)
            AND coalesce(gate.is_clock_v1(special.special -> 'exit_from'), true)
            AND coalesce(gate.is_clock_v1(special.special -> 'exit_until'), true)
            AND coalesce(special.special ->> 'exit_day', 'any') ~ '^([0-9]{1,3}|any)$') IS NOT TRUE
        UNION ALL
        SELECT f.field || ': expected an amount as text'
        FROM unnest('{entrance_fee,minimum}'::text[]) f (field)
        WHERE NOT gate.is_amount_v1(p_config -> f.field)
        UNION ALL
        SELECT part.place || '.maximum: expected an amount as text' FROM part
        WHERE NOT gate.is_amount_v1(part.part -> 'maximum')
        UNION ALL
        SELECT 'day_begins: expected a time of day' WHERE NOT gate.is_clock_v1(p_config -> 'day_begins')
        UNION ALL
        SELECT 'occupancy: expected from_percent and factor'
        FROM jsonb_path_query(p_config, 'lax $.occupancy[*]') o
        WHERE (gate.is_amount_v1(o -> 'from_percent') AND gate.is_amount_v1(o -> 'factor'))
            IS NOT TRUE
        UNION ALL
        SELECT 'reservation: expected early, unused and overstay'
        WHERE p_config ? 'reservation' AND (
            p_config #>> '{reservation,early}' IN ('free', 'charged')
            AND p_config #>> '{reservation,unused}' IN ('free', 'charged')
            AND p_config #>> '{reservation,overstay}' IN ('continued', 'anew')) IS NOT TRUE
        UNION ALL
        SELECT 'lost_ticket: expected amount and reading'
        WHERE p_config ? 'lost_ticket' AND (
            gate.is_amount_v1(p_config #> '{lost_ticket,amount}')
            AND p_config #>> '{lost_ticket,reading}' IN ('instead', 'at_least', 'added')) IS NOT TRUE
        UNION ALL
        SELECT 'validations: expected a name and one of free_minutes, amount, percent, free'
        FROM jsonb_path_query(p_config, 'lax $.validations[*]') v
        WHERE (v ->> 'name' <> ''
            AND num_nonnulls(v -> 'free_minutes', v -> 'amount', v -> 'percent', v -> 'free') = 1
            AND coalesce(gate.is_count_v1(v -> 'free_minutes'), true)
            AND coalesce(gate.is_amount_v1(v -> 'amount'), true)
            AND coalesce(gate.is_percent_v1(v -> 'percent'), true)
            AND coalesce(v -> 'free', 'true') = 'true') IS NOT TRUE
        UNION ALL
        SELECT 'second_visit_percent: expected a percentage'
        WHERE CASE WHEN p_config ->> 'second_visit' = 'reduced' OR p_config ? 'second_visit_percent'
            THEN gate.is_percent_v1(p_config -> 'second_visit_percent') IS NOT TRUE END
        UNION ALL
        SELECT 'second_visit_minutes: expected a number of minutes'
        WHERE NOT gate.is_count_v1(p_config -> 'second_visit_minutes')
        UNION ALL
        SELECT 'taxes: expected name, percent and rounding'
        FROM jsonb_path_query(p_config, 'lax $.taxes[*]') t
        WHERE (t ->> 'name' <> '' AND gate.is_percent_v1(t -> 'percent')
            AND t ->> 'rounding' IN ('half_up', 'half_even', 'up', 'down')) IS NOT TRUE
        UNION ALL
        SELECT 'rounding: expected mode and per'
        WHERE p_config ? 'rounding' AND (
            p_config #>> '{rounding,mode}' IN ('half_up', 'half_even', 'up', 'down')
            AND p_config #>> '{rounding,per}' IN ('line', 'total')
            AND coalesce(gate.is_amount_v1(p_config #> '{rounding,to}')
                AND (p_config #>> '{rounding,to}') ~ '[1-9]', true)) IS NOT TRUE
    )
    SELECT coalesce(array_agg(fault.text), '{}') FROM fault
$$;

-- A version of a tariff. Never edited: a change ends its validity and begins a new row.
CREATE TABLE pricing_rules (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id  uuid NOT NULL REFERENCES facilities,
    name         text NOT NULL CHECK (name <> ''),
    strategy     pricing_strategy NOT NULL,
    config       jsonb NOT NULL,
    -- Of the rules in force at entry whose conditions hold, the highest priority governs the stay.
    priority     integer NOT NULL DEFAULT 0,
    free_minutes integer NOT NULL DEFAULT 0 CHECK (free_minutes >= 0),
    valid_from   timestamptz NOT NULL DEFAULT now(),
    valid_until  timestamptz,
    CONSTRAINT pricing_rules_validity_check CHECK (valid_until > valid_from),
    CONSTRAINT pricing_rules_config_check
        CHECK (gate.tariff_faults_v1(strategy, config, free_minutes) = '{}'),
    -- Of one tariff one version is in force.
    CONSTRAINT pricing_rules_version_excl EXCLUDE USING gist (
        facility_id WITH =, name WITH =, tstzrange(valid_from, valid_until) WITH &&)
);
-- In the order in which they govern: the first whose conditions hold is the one.
CREATE INDEX pricing_rules_facility_idx
    ON pricing_rules (facility_id, priority DESC, valid_from DESC, id);

-- What stays may have been priced by stays as it is: only the end of a validity that is still to
-- come can be set, and only what has not begun be taken back.
CREATE FUNCTION gate.pricing_rules_keep() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.valid_from > now() THEN
            RETURN OLD;
        END IF;
    ELSIF to_jsonb(NEW) - 'valid_until' = to_jsonb(OLD) - 'valid_until' AND (
        NEW.valid_until IS NOT DISTINCT FROM OLD.valid_until
        OR coalesce(OLD.valid_until, 'infinity') >= now()
            AND coalesce(NEW.valid_until, 'infinity') >= now())
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'tariff "%" has priced stays: end it now and insert its next version', OLD.name
        USING ERRCODE = 'check_violation', CONSTRAINT = 'pricing_rules_kept_check',
            TABLE = 'pricing_rules';
END $$;
CREATE TRIGGER pricing_rules_keep BEFORE UPDATE OR DELETE ON pricing_rules
    FOR EACH ROW EXECUTE FUNCTION gate.pricing_rules_keep();

CREATE TABLE payments (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         uuid REFERENCES users,
    amount          numeric(14, 4) NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    currency        char(3) NOT NULL REFERENCES gate.currencies,
    provider        payment_provider NOT NULL,
    status          payment_status NOT NULL DEFAULT 'PENDING',
    provider_txn_id text CHECK (provider_txn_id <> ''),
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- What it was paid for. Outlives its booking by five years: gate.booking_exists.
    booking_id      uuid,
    -- The sum of its refunds; gate.refunds has them one by one.
    refunded        numeric(14, 4) NOT NULL DEFAULT 0,
    -- A payment that is told twice counts once.
    CONSTRAINT payments_provider_txn_key UNIQUE (provider, provider_txn_id),
    CONSTRAINT payments_refunded_check CHECK (refunded BETWEEN 0 AND amount),
    CONSTRAINT payments_status_check CHECK (
        CASE status WHEN 'REFUNDED' THEN refunded = amount WHEN 'COMPLETED' THEN true
            ELSE refunded = 0 END)
);
CREATE INDEX payments_status_idx ON payments (status);
CREATE INDEX payments_provider_txn_idx ON payments (provider_txn_id);
CREATE INDEX payments_user_idx ON payments (user_id);
CREATE INDEX payments_booking_idx ON payments (booking_id);

CREATE TABLE subscriptions (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id   uuid NOT NULL REFERENCES facilities,
    name          text NOT NULL CHECK (name <> ''),
    price         numeric(14, 4) NOT NULL CHECK (price >= 0 AND price < 'Infinity'),
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

CREATE TABLE gate.facility_settings (
    facility_id uuid PRIMARY KEY REFERENCES public.facilities,
    slug        text NOT NULL CONSTRAINT facility_settings_slug_key UNIQUE
                CHECK (slug ~ '^[a-z0-9-]+$'),
    time_zone   text NOT NULL,
    currency    char(3) NOT NULL REFERENCES gate.currencies,
    policy      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(policy) = 'object'),
    -- Grows with each change of the set-up; a running daemon sees it at its next renewal.
    revision    bigint NOT NULL DEFAULT 1,
    -- What a vehicle is taken for that nobody registered.
    vehicle_type_default  vehicle_type NOT NULL DEFAULT 'CAR',
    -- How long a stay is thought to last that nobody booked: what a later reservation collides with.
    stay_minutes_expected integer NOT NULL DEFAULT 240 CHECK (stay_minutes_expected > 0),
    -- How long before its reserved time a vehicle may come, and how long after that the spot is
    -- kept for it; null: as long as it was reserved.
    early_minutes_max     integer NOT NULL DEFAULT 30 CHECK (early_minutes_max >= 0),
    late_minutes_max      integer CHECK (late_minutes_max >= 0),
    -- The time to leave after paying.
    grace_minutes_exit    integer NOT NULL DEFAULT 15 CHECK (grace_minutes_exit >= 0),
    -- Whether spots with a charger are kept free for those who want one.
    ev_spots_kept         boolean NOT NULL DEFAULT true,
    -- Whether an open violation is a reason to deny entry.
    open_violation_denies boolean NOT NULL DEFAULT false,
    -- A plate that is inside already: hard refuses it, soft lets it in and writes it down.
    anti_passback         text NOT NULL DEFAULT 'hard'
        CONSTRAINT facility_settings_anti_passback_check CHECK (anti_passback IN ('hard', 'soft')),
    -- Whoever came in before this may come in again, unseen leaving: after an outage, an evacuation.
    passback_reset_at     timestamptz,
    -- How many must be free again before a sign that said full says otherwise.
    sign_free_again       integer NOT NULL DEFAULT 1 CHECK (sign_free_again > 0),
    -- After how many days without a sign of its vehicle a stay is listed as a phantom, and whether
    -- gated closes it by itself after how many.
    phantom_days          integer NOT NULL DEFAULT 7 CHECK (phantom_days > 0),
    phantom_policy        text NOT NULL DEFAULT 'list'
                          CHECK (phantom_policy IN ('list', 'close_after_days')),
    phantom_close_days    integer CHECK (phantom_close_days > 0),
    -- How far the ways of counting a zone may be apart before somebody is told.
    drift_count_max       integer NOT NULL DEFAULT 5 CHECK (drift_count_max >= 0),
    -- How long after the end of a reservation, and how long on a spot that it has no right to, a
    -- vehicle commits no offence yet.
    overstay_grace_minutes integer NOT NULL DEFAULT 0 CHECK (overstay_grace_minutes >= 0),
    misuse_grace_minutes  integer NOT NULL DEFAULT 15 CHECK (misuse_grace_minutes >= 0),
    -- When entries admit, null: always; and the language and texts of the displays.
    opening               jsonb CHECK (jsonb_typeof(opening) = 'object'),
    display               jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(display) = 'object'),
    CONSTRAINT facility_settings_phantom_check CHECK (
        phantom_policy <> 'close_after_days' OR phantom_close_days IS NOT NULL)
);

-- How a zone is filled, where it is not from its lowest number on.
CREATE TABLE gate.zone_settings (
    zone_id     uuid PRIMARY KEY REFERENCES public.zones,
    fill_policy text NOT NULL DEFAULT 'lowest'
                CHECK (fill_policy IN ('lowest', 'nearest', 'spread'))
);

-- How many stays of a group a zone, or the facility, takes in at most, at all times or at some.
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

-- What an offence costs at a facility; a kind that is not listed costs nothing.
CREATE TABLE gate.penalties (
    facility_id    uuid NOT NULL REFERENCES public.facilities,
    violation_type text NOT NULL CHECK (violation_type <> ''),
    amount         numeric(14, 4) NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    PRIMARY KEY (facility_id, violation_type)
);

-- Days that are not like others: public holidays, and events of kinds that the tariffs name.
CREATE TABLE gate.calendar_days (
    facility_id uuid NOT NULL REFERENCES public.facilities,
    day         date NOT NULL,
    kind        text NOT NULL CHECK (
        kind ~ '^[a-z][a-z0-9_-]*$'
        AND kind NOT IN ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'holiday_eve')),
    name        text NOT NULL DEFAULT '',
    PRIMARY KEY (facility_id, day, kind)
);

CREATE TABLE gate.lanes (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id uuid NOT NULL REFERENCES public.facilities,
    slug        text NOT NULL CHECK (slug ~ '^[a-z0-9-]+$'),
    direction   text NOT NULL CHECK (direction IN ('entry', 'exit', 'transfer')),
    policy      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(policy) = 'object'),
    is_active   boolean NOT NULL DEFAULT true,
    -- Where the vehicles of a transfer come from.
    from_zone_id uuid REFERENCES public.zones,
    opening     jsonb CHECK (jsonb_typeof(opening) = 'object'),
    CONSTRAINT lanes_slug_key UNIQUE (facility_id, slug),
    CONSTRAINT lanes_from_zone_check CHECK (direction = 'transfer' OR from_zone_id IS NULL)
);

-- The zones that an entry or a transfer lane fills, in this order.
CREATE TABLE gate.lane_zones (
    lane_id  uuid NOT NULL REFERENCES gate.lanes ON DELETE CASCADE,
    zone_id  uuid NOT NULL REFERENCES public.zones,
    position integer NOT NULL CHECK (position >= 0),
    PRIMARY KEY (lane_id, zone_id)
);

-- How far it is from a lane to a spot, for zones that are filled by nearness.
CREATE TABLE gate.spot_distances (
    lane_id uuid NOT NULL REFERENCES gate.lanes ON DELETE CASCADE,
    spot_id uuid NOT NULL REFERENCES public.parking_spots ON DELETE CASCADE,
    metres  numeric(8, 1) NOT NULL CHECK (metres >= 0),
    PRIMARY KEY (lane_id, spot_id)
);
CREATE INDEX spot_distances_spot_idx ON gate.spot_distances (spot_id);

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
    estimated_price numeric(14, 4) CHECK (estimated_price >= 0 AND estimated_price < 'Infinity'),
    final_price     numeric(14, 4) CHECK (final_price >= 0 AND final_price < 'Infinity'),
    payment_id      uuid REFERENCES payments,
    -- The normal form of the plate, and the camera's own text.
    plate_number    text,
    plate_raw       text,
    currency        char(3) REFERENCES gate.currencies,
    -- Frozen with the price: the governing rule version and the line-by-line explanation.
    pricing_rule_id uuid REFERENCES pricing_rules,
    price_lines     jsonb,
    entry_lane_id   uuid,
    exit_lane_id    uuid,
    -- How the passage is known; null until the vehicle has passed.
    entry_known     text CHECK (entry_known IN ('measured', 'reported', 'assumed')),
    exit_known      text CHECK (exit_known IN ('measured', 'reported', 'assumed')),
    cancel_reason   text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- The period that was reserved; entry_time becomes the real one when the vehicle comes.
    reserved_from   timestamptz,
    reserved_until  timestamptz,
    -- What the spot must offer.
    size_needed       spot_size,
    wants_ev_charger  boolean NOT NULL DEFAULT false,
    needs_accessible  boolean NOT NULL DEFAULT false,
    -- The right that covers the stay, and the subscription that an entry was taken from.
    entitlement     text CHECK (entitlement IN ('reservation', 'subscription', 'staff')),
    user_subscription_id uuid REFERENCES user_subscriptions,
    -- Since when everything due is paid, and until when leaving costs no more.
    paid_at         timestamptz,
    grace_until     timestamptz,
    -- Why a plate that was read at the exit, and is not plate_number, was taken for this vehicle's.
    exit_match      jsonb CHECK (jsonb_typeof(exit_match) = 'object'),
    -- What its price depends on besides its times, its vehicle and its reservation.
    price_context   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(price_context) = 'object'),
    -- Where a vehicle is that came in when no spot was left.
    zone_id         uuid REFERENCES zones,
    -- Why it was ended though nobody saw its vehicle leave.
    closed_reason   text CHECK (closed_reason <> ''),
    PRIMARY KEY (id, entry_time),
    CONSTRAINT bookings_ticket_check CHECK (ticket_number <> ''),
    CONSTRAINT bookings_plate_check CHECK (plate_number <> ''),
    CONSTRAINT bookings_exit_check CHECK (actual_exit >= entry_time),
    CONSTRAINT bookings_expected_exit_check CHECK (expected_exit > entry_time),
    CONSTRAINT bookings_completed_check CHECK (status <> 'COMPLETED' OR actual_exit IS NOT NULL),
    CONSTRAINT bookings_reserved_check CHECK (
        (reserved_from IS NULL) = (reserved_until IS NULL) AND reserved_until > reserved_from),
    CONSTRAINT bookings_subscription_check CHECK (
        (user_subscription_id IS NOT NULL) = (coalesce(entitlement, '') = 'subscription')),
    CONSTRAINT bookings_grace_check CHECK (
        (paid_at IS NULL) = (grace_until IS NULL) AND grace_until >= paid_at),
    CONSTRAINT bookings_place_check CHECK (num_nonnulls(spot_id, zone_id) < 2)
) PARTITION BY RANGE (entry_time);
CREATE INDEX idx_bookings_facility_status ON bookings (facility_id, status, entry_time);
CREATE INDEX idx_bookings_user_status ON bookings (user_id, status);
CREATE INDEX idx_bookings_overlap ON bookings (spot_id, status, entry_time, expected_exit)
    WHERE status IN ('CONFIRMED', 'ACTIVE');
CREATE INDEX bookings_ticket_idx ON bookings (ticket_number);
-- Which stays a subscription was used for.
CREATE INDEX bookings_subscription_idx ON bookings (user_subscription_id)
    WHERE user_subscription_id IS NOT NULL;
-- Finds where a vehicle was, here or elsewhere.
CREATE INDEX bookings_plate_idx ON bookings (plate_number, facility_id, entry_time);

-- The live claims on spots: the referee behind the row locks. A vehicle that came in when no spot was
-- left claims none, and its plate all the same. A row ends with its stay, so the table stays as
-- small as the car parks are large. While a claim stands, its booking cannot go.
-- Nobody writes claims: a trigger derives them from bookings, whoever writes those.
CREATE TABLE gate.claims (
    booking_id  uuid NOT NULL CONSTRAINT claims_pkey PRIMARY KEY
                REFERENCES gate.tickets (booking_id) DEFERRABLE INITIALLY DEFERRED,
    facility_id uuid NOT NULL,
    zone_id     uuid NOT NULL,
    spot_id     uuid REFERENCES public.parking_spots,
    entry_time  timestamptz NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('stay', 'reservation')),
    plate       text,
    during      tstzrange NOT NULL CHECK (NOT isempty(during)),
    parker_group text NOT NULL DEFAULT 'transient'
                CHECK (parker_group IN ('transient', 'permit_holder', 'reservation')),
    CONSTRAINT claims_spot_excl EXCLUDE USING gist (spot_id WITH =, during WITH &&)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
-- One vehicle on a spot, however long past its expected exit it stays.
CREATE UNIQUE INDEX claims_stay_spot_key ON gate.claims (spot_id) WHERE kind = 'stay';
-- One open stay per plate and facility.
CREATE UNIQUE INDEX claims_stay_plate_key ON gate.claims (facility_id, plate)
    WHERE kind = 'stay' AND plate IS NOT NULL;
-- How many of a group are in a zone.
CREATE INDEX claims_zone_idx ON gate.claims (facility_id, zone_id, kind, parker_group);
-- Finds who is expected: by plate at the entrance, by time for holding spots and no-shows.
CREATE INDEX claims_reservation_plate_idx ON gate.claims (facility_id, plate)
    WHERE kind = 'reservation';
CREATE INDEX claims_reservation_time_idx ON gate.claims (facility_id, entry_time)
    WHERE kind = 'reservation';
-- Finds who waits for a spot that comes free.
CREATE INDEX claims_spotless_idx ON gate.claims (facility_id, entry_time) WHERE spot_id IS NULL;

-- The parts of stays that changed their zone, written at the first change; the others were in one.
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

-- Whose stay or reservation a booking is.
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

-- Whether a booking has a claim: it holds a spot, or its vehicle is inside without one.
CREATE FUNCTION gate.has_claim(booking bookings) RETURNS boolean
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE booking.status
        WHEN 'ACTIVE' THEN num_nonnulls(booking.spot_id, booking.zone_id) > 0
        WHEN 'CONFIRMED' THEN booking.spot_id IS NOT NULL
        ELSE false END
$$;

-- The claim of a booking, and the spot's state when its vehicle stands there.
CREATE FUNCTION gate.put_claim(booking bookings) RETURNS void
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

-- What a booking held is free again.
CREATE FUNCTION gate.drop_claim(booking bookings) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM public.parking_spots s WHERE s.id = booking.spot_id FOR NO KEY UPDATE;
    DELETE FROM gate.claims c WHERE c.booking_id = booking.id;
    -- Also where a shop marked it RESERVED and did not say for whom: whoever else is due holds it anew.
    UPDATE public.parking_spots s SET
        status = CASE s.status WHEN 'MAINTENANCE' THEN s.status ELSE 'AVAILABLE' END,
        current_booking = NULL
    WHERE s.id = booking.spot_id
        AND (s.current_booking = booking.id
            OR s.current_booking IS NULL AND s.status = 'RESERVED');
END $$;

-- Directory, claim and spot follow each booking, whoever writes it. One that moves to another
-- month arrives here as a delete and then an insert. Rows are locked in one order everywhere, or
-- two writers could wait for each other for ever: booking, spot, claim. So whoever has the spot has
-- its claims to itself, and the referee never makes two wait for each other.
CREATE FUNCTION gate.bookings_follow() RETURNS trigger
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
CREATE TRIGGER bookings_follow
    AFTER INSERT OR DELETE OR UPDATE OF
        id, ticket_number, entry_time, expected_exit, status, spot_id, zone_id, facility_id,
        vehicle_id, plate_number,
        booking_type, entitlement
    ON bookings
    FOR EACH ROW EXECUTE FUNCTION gate.bookings_follow();

-- A spot that changes its zone takes its claims along; to another facility it cannot go with them.
CREATE FUNCTION gate.spots_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE gate.claims c SET zone_id = NEW.zone_id
    FROM public.zones z
    WHERE c.spot_id = NEW.id AND z.id = NEW.zone_id AND z.facility_id = c.facility_id;
    IF EXISTS (SELECT FROM gate.claims c WHERE c.spot_id = NEW.id AND c.zone_id <> NEW.zone_id) THEN
        RAISE check_violation USING
            MESSAGE = format('parking_spots.zone_id: the spot %s is claimed and cannot go to'
                ' another facility', NEW.id),
            CONSTRAINT = 'parking_spots_zone_check', SCHEMA = 'public', TABLE = 'parking_spots';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER spots_move AFTER UPDATE OF zone_id ON parking_spots
    FOR EACH ROW WHEN (OLD.zone_id <> NEW.zone_id) EXECUTE FUNCTION gate.spots_move();

-- A corrected plate is that of the claims too, where the booking names the vehicle alone.
CREATE FUNCTION gate.vehicles_rename() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE gate.claims c SET plate = NEW.plate_normal
    FROM public.bookings b
    WHERE c.plate = OLD.plate_normal AND b.id = c.booking_id AND b.entry_time = c.entry_time
        AND b.vehicle_id = NEW.id
        AND coalesce(gate.plate_normal_v1(b.plate_number), '') = '';
    RETURN NULL;
END $$;
CREATE TRIGGER vehicles_rename AFTER UPDATE OF plate_number ON vehicles
    FOR EACH ROW WHEN (OLD.plate_normal <> NEW.plate_normal)
    EXECUTE FUNCTION gate.vehicles_rename();

-- ── counters ───────────────────────────────────────────────────────────────────────────────

-- What was not counted yet, because another transaction held the counters: docs/decisions/0006.
CREATE TABLE gate.spot_changes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id uuid NOT NULL,
    zone_id     uuid NOT NULL,
    total       integer NOT NULL,
    available   integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX spot_changes_facility_idx ON gate.spot_changes (facility_id);

-- Adds what was left uncounted to the counters of a facility and its zones, if nobody else is
-- at it: whoever finds their rows locked goes on without waiting. Answers whether it counted.
--
-- The deletion and the sum are one statement, so that a change is counted once. A counter never
-- makes a transaction fail: one that would leave its bounds has drifted before, and an operator
-- gets a reconciliation row.
CREATE FUNCTION gate.count_changes_v1(p_facility uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A snapshot that lasts as long as its transaction cannot see what others left meanwhile.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN false;
    END IF;
    PERFORM FROM public.facilities f WHERE f.id = p_facility FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    WITH zone AS MATERIALIZED (
        SELECT z.id, z.total_spots, z.available_spots FROM public.zones z
        WHERE z.id IN (
            SELECT c.zone_id FROM gate.spot_changes c WHERE c.facility_id = p_facility)
        FOR NO KEY UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM gate.spot_changes c USING zone
        WHERE c.facility_id = p_facility AND c.zone_id = zone.id
        RETURNING c.zone_id, c.total, c.available
    ), change AS MATERIALIZED (
        SELECT g.zone_id, sum(g.total)::integer AS total, sum(g.available)::integer AS available
        FROM gone g GROUP BY g.zone_id
    ), zones AS (
        UPDATE public.zones z SET
            total_spots = greatest(z.total_spots + c.total, 0),
            available_spots = least(
                greatest(z.available_spots + c.available, 0),
                greatest(z.total_spots + c.total, 0))
        FROM change c WHERE z.id = c.zone_id
    ), facility AS (
        UPDATE public.facilities f SET
            total_spots = greatest(f.total_spots + c.total, 0),
            available_spots = least(
                greatest(f.available_spots + c.available, 0), greatest(f.total_spots + c.total, 0))
        FROM (SELECT sum(total)::integer AS total, sum(available)::integer AS available
              FROM change) c
        WHERE f.id = p_facility AND (c.total <> 0 OR c.available <> 0)
    )
    INSERT INTO gate.reconciliations (facility_id, kind, details)
    SELECT p_facility, 'available_spots', jsonb_build_object(
        'zone', zone.id, 'total_spots', zone.total_spots,
        'available_spots', zone.available_spots, 'change', change.available)
    FROM zone JOIN change ON change.zone_id = zone.id
    WHERE zone.available_spots + change.available
            NOT BETWEEN 0 AND zone.total_spots + change.total
        AND NOT EXISTS (
            SELECT FROM gate.reconciliations r
            WHERE r.facility_id = p_facility AND r.resolved_at IS NULL
                AND r.kind = 'available_spots' AND r.details ->> 'zone' = zone.id::text);
    RETURN true;
END $$;

-- Counters follow the spots, whoever changes those.
CREATE FUNCTION gate.spots_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_facilities uuid[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            WITH left_open AS (
                INSERT INTO gate.spot_changes (facility_id, zone_id, total, available)
                SELECT z.facility_id, z.id, count(*) FILTER (WHERE s.is_active),
                    count(*) FILTER (WHERE s.is_active AND s.status = 'AVAILABLE')
                FROM come s JOIN public.zones z ON z.id = s.zone_id
                GROUP BY z.facility_id, z.id
                HAVING bool_or(s.is_active)
                RETURNING facility_id
            )
            SELECT array_agg(DISTINCT facility_id) INTO v_facilities FROM left_open;
        WHEN 'DELETE' THEN
            WITH left_open AS (
                INSERT INTO gate.spot_changes (facility_id, zone_id, total, available)
                SELECT z.facility_id, z.id, -count(*) FILTER (WHERE s.is_active),
                    -count(*) FILTER (WHERE s.is_active AND s.status = 'AVAILABLE')
                FROM gone s JOIN public.zones z ON z.id = s.zone_id
                GROUP BY z.facility_id, z.id
                HAVING bool_or(s.is_active)
                RETURNING facility_id
            )
            SELECT array_agg(DISTINCT facility_id) INTO v_facilities FROM left_open;
        WHEN 'UPDATE' THEN
            WITH change AS (
                SELECT s.zone_id, sum(s.total)::integer AS total,
                    sum(s.available)::integer AS available
                FROM (
                    SELECT zone_id, is_active::integer AS total,
                        (is_active AND status = 'AVAILABLE')::integer AS available
                    FROM come
                    UNION ALL
                    SELECT zone_id, -is_active::integer,
                        -(is_active AND status = 'AVAILABLE')::integer
                    FROM gone
                ) s
                GROUP BY s.zone_id
            ), left_open AS (
                INSERT INTO gate.spot_changes (facility_id, zone_id, total, available)
                SELECT z.facility_id, z.id, c.total, c.available
                FROM change c JOIN public.zones z ON z.id = c.zone_id
                WHERE c.total <> 0 OR c.available <> 0
                RETURNING facility_id
            )
            SELECT array_agg(DISTINCT facility_id) INTO v_facilities FROM left_open;
    END CASE;
    PERFORM gate.count_changes_v1(f) FROM unnest(v_facilities) AS f;
    RETURN NULL;
END $$;
CREATE TRIGGER spots_follow_insert AFTER INSERT ON parking_spots
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION gate.spots_follow();
CREATE TRIGGER spots_follow_update AFTER UPDATE ON parking_spots
    REFERENCING OLD TABLE AS gone NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION gate.spots_follow();
CREATE TRIGGER spots_follow_delete AFTER DELETE ON parking_spots
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION gate.spots_follow();

-- ── payments, violations, staff, audit ─────────────────────────────────────────────────────

-- Payments and violations outlive the bookings that they name: the booking is asked for when the
-- reference is written, and archiving leaves the id standing.
CREATE FUNCTION gate.booking_exists() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The lock keeps the booking from being deleted before this transaction ends.
    PERFORM FROM gate.tickets WHERE booking_id = NEW.booking_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('%s.booking_id: there is no booking %s', TG_TABLE_NAME, NEW.booking_id),
            CONSTRAINT = TG_TABLE_NAME || '_booking_fkey',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER payments_booking_insert AFTER INSERT ON payments
    FOR EACH ROW WHEN (NEW.booking_id IS NOT NULL)
    EXECUTE FUNCTION gate.booking_exists();
CREATE TRIGGER payments_booking_update AFTER UPDATE OF booking_id ON payments
    FOR EACH ROW WHEN (NEW.booking_id IS DISTINCT FROM OLD.booking_id AND NEW.booking_id IS NOT NULL)
    EXECUTE FUNCTION gate.booking_exists();

-- What was given back of a payment. payments.refunded is their sum.
CREATE TABLE gate.refunds (
    id              uuid PRIMARY KEY,
    payment_id      uuid NOT NULL REFERENCES public.payments,
    amount          numeric(14, 4) NOT NULL CHECK (amount > 0 AND amount < 'Infinity'),
    provider_txn_id text CHECK (provider_txn_id <> ''),
    reason          text NOT NULL,
    refunded_at     timestamptz NOT NULL,
    -- A refund that is told twice counts once.
    CONSTRAINT refunds_txn_key UNIQUE (payment_id, provider_txn_id)
);

-- What was due for a stay and nobody has to pay: it lowers the price of the stay, by a line of its
-- own. No payment, for no money came.
CREATE TABLE gate.waivers (
    id         uuid PRIMARY KEY,
    -- As in payments: gate.booking_exists.
    booking_id uuid NOT NULL,
    amount     numeric(14, 4) NOT NULL CHECK (amount > 0 AND amount < 'Infinity'),
    currency   char(3) NOT NULL REFERENCES gate.currencies,
    reason     text NOT NULL CHECK (reason <> ''),
    user_id    uuid NOT NULL REFERENCES public.users,
    waived_at  timestamptz NOT NULL
);
CREATE INDEX waivers_booking_idx ON gate.waivers (booking_id);
CREATE TRIGGER waivers_booking_insert AFTER INSERT ON gate.waivers
    FOR EACH ROW WHEN (NEW.booking_id IS NOT NULL)
    EXECUTE FUNCTION gate.booking_exists();

-- What ended stays still owe.
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

CREATE TABLE violations (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        uuid REFERENCES users,
    vehicle_id     uuid REFERENCES vehicles,
    facility_id    uuid NOT NULL REFERENCES facilities,
    -- Outlives its booking by three years: gate.booking_exists.
    booking_id     uuid,
    violation_type text NOT NULL CHECK (violation_type <> ''),
    penalty_amount numeric(14, 4) NOT NULL DEFAULT 0 CHECK (penalty_amount >= 0 AND penalty_amount < 'Infinity'),
    status         violation_status NOT NULL DEFAULT 'OPEN',
    violation_time timestamptz NOT NULL DEFAULT now(),
    -- Most offenders are strangers: their plate is all that is known. In normal form.
    plate_number   text CHECK (plate_number <> ''),
    currency       char(3) REFERENCES gate.currencies,
    evidence       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(evidence) = 'object')
);
CREATE TRIGGER violations_booking_insert AFTER INSERT ON violations
    FOR EACH ROW WHEN (NEW.booking_id IS NOT NULL)
    EXECUTE FUNCTION gate.booking_exists();
-- Only when it changes: the status of an old violation moves on after its booking is archived.
CREATE TRIGGER violations_booking_update AFTER UPDATE OF booking_id ON violations
    FOR EACH ROW WHEN (NEW.booking_id IS DISTINCT FROM OLD.booking_id AND NEW.booking_id IS NOT NULL)
    EXECUTE FUNCTION gate.booking_exists();
CREATE INDEX violations_facility_idx ON violations (facility_id, status, violation_time);
CREATE INDEX violations_vehicle_idx ON violations (vehicle_id, status);
CREATE INDEX violations_open_plate_idx ON violations (facility_id, plate_number)
    WHERE status = 'OPEN';

CREATE TABLE facility_staff (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility_id  uuid NOT NULL REFERENCES facilities,
    staff_member uuid NOT NULL REFERENCES users,
    permissions  text[] NOT NULL DEFAULT '{}',
    -- As whom the member logs in at the broker, for which the broker's ACL vouches.
    operator_name text CHECK (operator_name ~ '^[A-Za-z0-9._@-]{1,64}$'),
    CONSTRAINT facility_staff_member_key UNIQUE (facility_id, staff_member)
);
CREATE UNIQUE INDEX facility_staff_operator_key ON facility_staff (facility_id, operator_name);

-- Who did what, on what, when. Append-only for everyone but the owner.
CREATE TABLE audit_logs (
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id        uuid REFERENCES users,
    action         text NOT NULL,
    resource_type  text NOT NULL,
    resource_id    uuid,
    "timestamp"    timestamptz NOT NULL DEFAULT now(),
    facility_id    uuid,
    -- Who it was where no user was: 'gated', 'operator', a job's name.
    actor          text NOT NULL DEFAULT 'gated',
    correlation_id uuid,
    details        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE INDEX idx_audit_logs_recent ON audit_logs ("timestamp" DESC);
CREATE INDEX audit_logs_correlation_idx ON audit_logs (correlation_id);
-- Finds when a facility was evacuated, among all that was done there.
CREATE INDEX audit_logs_evacuation_idx ON audit_logs (facility_id, "timestamp")
    WHERE action IN ('operator.evacuate', 'operator.resume');

-- ── what sensors say ───────────────────────────────────────────────────────────────────────

-- The last word of each zone's counter.
CREATE TABLE gate.zone_counts (
    zone_id     uuid PRIMARY KEY REFERENCES public.zones ON DELETE CASCADE,
    facility_id uuid NOT NULL,
    occupied    integer NOT NULL CHECK (occupied >= 0),
    counted_at  timestamptz NOT NULL,
    event_id    uuid NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500);

-- The last word of each spot's sensor, and since when it has been so.
CREATE TABLE gate.spot_states (
    spot_id     uuid PRIMARY KEY REFERENCES public.parking_spots ON DELETE CASCADE,
    facility_id uuid NOT NULL,
    occupied    boolean NOT NULL,
    plate       text,
    since       timestamptz NOT NULL,
    -- When gated first heard of it: an offence is judged by this, for clocks of devices lie.
    heard_at    timestamptz NOT NULL,
    told_at     timestamptz NOT NULL,
    event_id    uuid NOT NULL,
    -- Somebody was told that nobody knows what stands there.
    noticed_at  timestamptz,
    CONSTRAINT spot_states_plate_check CHECK (plate <> '' AND (occupied OR plate IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000);
CREATE INDEX spot_states_plate_idx ON gate.spot_states (facility_id, plate);

-- ── the inbox ──────────────────────────────────────────────────────────────────────────────

-- One row per received message and device, stored before the broker gets its acknowledgement.
CREATE TABLE gate.events (
    id          uuid NOT NULL,
    -- The order of arrival.
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    facility_id uuid NOT NULL,
    device_id   uuid,
    lane_id     uuid,
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
    facility_id uuid NOT NULL,
    event_key   text NOT NULL,
    event_id    uuid NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT event_keys_pkey PRIMARY KEY (facility_id, event_key)
);
CREATE INDEX event_keys_received_idx ON gate.event_keys (received_at);

-- ── decisions and the outbox ───────────────────────────────────────────────────────────────

CREATE TABLE gate.decisions (
    id          uuid NOT NULL,
    facility_id uuid NOT NULL,
    lane_id     uuid NOT NULL,
    -- The inbox row that asked; the correlation id of all that follows.
    event_id    uuid NOT NULL,
    decision    text NOT NULL CHECK (decision IN ('grant', 'deny')),
    reason      text NOT NULL,
    plate       text,
    plate_raw   text,
    confidence  real,
    stay_id     uuid,
    zone_id     uuid,
    spot_id     uuid,
    price       numeric(14, 4),
    currency    char(3),
    command_id  uuid,
    received_at timestamptz NOT NULL,
    decided_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    facts jsonb CHECK (jsonb_typeof(facts) = 'object'),
    fence_waited_ms real,
    lock_waited_ms real,
    PRIMARY KEY (id, decided_at)
) PARTITION BY RANGE (decided_at);
CREATE INDEX decisions_plate_idx ON gate.decisions (facility_id, plate, decided_at DESC);
CREATE INDEX decisions_event_idx ON gate.decisions (event_id);
CREATE INDEX decisions_stay_idx ON gate.decisions (stay_id);

-- Commands, committed with their cause. `confirmed` is the hardware's own report.
CREATE TABLE gate.commands (
    id              uuid PRIMARY KEY,
    facility_id     uuid NOT NULL,
    lane_id         uuid NOT NULL,
    device_id       uuid NOT NULL,
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
    text            text,
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
    resolved_by uuid REFERENCES public.users,
    resolution  text CONSTRAINT reconciliations_resolution_check CHECK (resolution <> '')
);
CREATE INDEX reconciliations_open_idx ON gate.reconciliations (facility_id) WHERE resolved_at IS NULL;

-- Vehicles that passed without a grant, once each by the message that showed them: leaks that are
-- counted. Purged by age, as the notes are.
CREATE TABLE gate.free_passages (
    id          uuid PRIMARY KEY,
    facility_id uuid NOT NULL,
    lane_id     uuid NOT NULL,
    direction   text NOT NULL
                CONSTRAINT free_passages_direction_check
                CHECK (direction IN ('entry', 'exit', 'transfer')),
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

-- What happened to a lane, for whoever asks later: faults raised and cleared, changes of its mode,
-- notices.
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

-- ── what operators ordered to last ─────────────────────────────────────────────────────────

-- Whether a lane is held open or closed for traffic; one without a row is in service.
CREATE TABLE gate.lane_modes (
    lane_id     uuid PRIMARY KEY REFERENCES gate.lanes,
    facility_id uuid NOT NULL REFERENCES public.facilities,
    mode        text NOT NULL CHECK (mode IN ('in_service', 'held', 'closed')),
    since       timestamptz NOT NULL,
    user_id     uuid REFERENCES public.users,
    reason      text NOT NULL,
    event_id    uuid NOT NULL
);
CREATE INDEX lane_modes_facility_idx ON gate.lane_modes (facility_id);

-- Whether a facility is being evacuated; one without a row is not.
CREATE TABLE gate.facility_modes (
    facility_id uuid PRIMARY KEY REFERENCES public.facilities,
    mode        text NOT NULL CHECK (mode IN ('normal', 'evacuation')),
    since       timestamptz NOT NULL,
    user_id     uuid REFERENCES public.users,
    reason      text NOT NULL,
    event_id    uuid NOT NULL
);

-- When a facility was evacuated: that time is not charged to anybody.
CREATE TABLE gate.evacuations (
    facility_id uuid NOT NULL REFERENCES public.facilities,
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    PRIMARY KEY (facility_id, began_at),
    CONSTRAINT evacuations_order_check CHECK (ended_at >= began_at)
);
CREATE UNIQUE INDEX evacuations_under_way_idx ON gate.evacuations (facility_id)
    WHERE ended_at IS NULL;

-- ── what \d+ shows ─────────────────────────────────────────────────────────────────────────
--
-- A test asks for a description of each table, column and enum.

COMMENT ON SCHEMA gate IS 'The controller of entrances and exits: its own tables and functions.';

COMMENT ON TYPE user_role IS 'What an account is to the platform.';
COMMENT ON TYPE vehicle_type IS
    'What a vehicle is; gate.size_needed_v1 tells the spot that it needs.';
COMMENT ON TYPE spot_size IS 'In rising order: a vehicle fits its own size or a larger one.';
COMMENT ON TYPE spot_status IS
    'AVAILABLE: free now. OCCUPIED: a vehicle stands there. RESERVED: held for a vehicle that may '
    'come now. MAINTENANCE: out of service.';
COMMENT ON TYPE booking_type IS
    'WALK_IN: came without booking. RESERVATION: reserved beforehand. SUBSCRIPTION: came on a '
    'subscription.';
COMMENT ON TYPE booking_status IS
    'PENDING: holds no spot yet. CONFIRMED: holds its spot, the vehicle is expected. ACTIVE: the '
    'vehicle is inside. COMPLETED: it was let out. CANCELLED: will not take place. NO_SHOW: '
    'nobody came in time.';
COMMENT ON TYPE pricing_strategy IS
    'FLAT: one amount for each stay. BLOCK: blocks of minutes, each charged when it begins. TIER: '
    'the price of the tier that the stay reaches. BAND: by time of day and kind of day.';
COMMENT ON TYPE payment_provider IS 'By what way a payment comes.';
COMMENT ON TYPE payment_status IS
    'PENDING: under way. COMPLETED: paid, and not wholly given back. FAILED: came to nothing. '
    'REFUNDED: wholly given back.';
COMMENT ON TYPE violation_status IS
    'OPEN: not settled; counts at the entrance. PAID: the penalty was paid. WAIVED: it is asked '
    'for no more. DISPUTED: contested. RESOLVED: settled otherwise.';

COMMENT ON TABLE users IS 'Accounts: customers, owners, staff.';
COMMENT ON COLUMN users.id IS 'Its id.';
COMMENT ON COLUMN users.email IS 'Unique, whatever its case. The roles of gated cannot read it.';
COMMENT ON COLUMN users.role IS
    'What the account is to the platform; rights at a facility: facility_staff.';
COMMENT ON COLUMN users.phone IS 'Null: not given. The roles of gated cannot read it.';
COMMENT ON COLUMN users.is_verified IS 'Whether the platform has verified the account.';
COMMENT ON COLUMN users.is_active IS 'False: the account is closed.';
COMMENT ON COLUMN users.created_at IS 'When the row was made.';

COMMENT ON TABLE vehicles IS 'Vehicles with an owner, and plates that are blocked.';
COMMENT ON COLUMN vehicles.id IS 'Its id.';
COMMENT ON COLUMN vehicles.user_id IS
    'Its owner; null for a vehicle that is only known to be blocked.';
COMMENT ON COLUMN vehicles.plate_number IS 'The plate as it was registered.';
COMMENT ON COLUMN vehicles.plate_normal IS 'What reads are matched with; made from plate_number.';
COMMENT ON COLUMN vehicles.vehicle_type IS 'Says which spots it fits: gate.size_needed_v1.';
COMMENT ON COLUMN vehicles.is_verified IS
    'Whether the platform has verified it; goes before others of the same plate.';
COMMENT ON COLUMN vehicles.is_active IS 'False: no longer in use; no plate is matched with it.';
COMMENT ON COLUMN vehicles.is_blocked IS 'True: nobody enters or reserves with this plate.';
COMMENT ON COLUMN vehicles.blocked_reason IS 'For people; null: not blocked, or not stated.';
COMMENT ON COLUMN vehicles.created_at IS 'When the row was made.';
COMMENT ON COLUMN vehicles.is_electric IS 'Whether it wants a spot with a charger.';
COMMENT ON COLUMN vehicles.has_accessible_permit IS 'Whether it may stand on an accessible spot.';

COMMENT ON TABLE facilities IS 'Car parks. Settings of the controller: gate.facility_settings.';
COMMENT ON COLUMN facilities.id IS 'Its id.';
COMMENT ON COLUMN facilities.owner_id IS 'Whose it is; null: of nobody with an account.';
COMMENT ON COLUMN facilities.name IS 'Its name for people.';
COMMENT ON COLUMN facilities.city IS 'The city it stands in.';
COMMENT ON COLUMN facilities.latitude IS 'Degrees north; null, with longitude: not stated.';
COMMENT ON COLUMN facilities.longitude IS 'Degrees east; null, with latitude: not stated.';
COMMENT ON COLUMN facilities.total_spots IS
    'Its active spots: follows parking_spots by trigger. What gate.spot_changes holds is still to '
    'come.';
COMMENT ON COLUMN facilities.available_spots IS
    'Its active spots that are AVAILABLE: kept as total_spots is.';
COMMENT ON COLUMN facilities.is_active IS 'False: closed; no daemon runs it.';
COMMENT ON COLUMN facilities.created_at IS 'When the row was made.';

COMMENT ON TABLE zones IS 'Counted areas of a facility.';
COMMENT ON COLUMN zones.id IS 'Its id.';
COMMENT ON COLUMN zones.facility_id IS 'The facility it is a part of.';
COMMENT ON COLUMN zones.name IS 'Its name for people.';
COMMENT ON COLUMN zones.code IS 'Its name in topics, files and logs; unique in the facility.';
COMMENT ON COLUMN zones.total_spots IS
    'Its active spots: follows parking_spots by trigger. What gate.spot_changes holds is still to '
    'come.';
COMMENT ON COLUMN zones.available_spots IS
    'Its active spots that are AVAILABLE: kept as total_spots is.';
COMMENT ON COLUMN zones.is_active IS 'False: out of service; no spot of it is given out.';

COMMENT ON TABLE parking_spots IS 'Single bays.';
COMMENT ON COLUMN parking_spots.id IS 'Its id.';
COMMENT ON COLUMN parking_spots.zone_id IS 'The zone it is counted in.';
COMMENT ON COLUMN parking_spots.spot_number IS 'As written on the ground; unique in the zone.';
COMMENT ON COLUMN parking_spots.spot_order IS
    'Sorts A-2 before A-10: spot_number with each run of digits ten places wide; made from it.';
COMMENT ON COLUMN parking_spots.size IS 'The largest vehicle that fits.';
COMMENT ON COLUMN parking_spots.status IS
    'Its state now. A trigger on bookings makes it OCCUPIED and AVAILABLE, gate.hold_spots_v1 '
    'RESERVED, people MAINTENANCE.';
COMMENT ON COLUMN parking_spots.has_ev_charger IS 'Whether it has a charger.';
COMMENT ON COLUMN parking_spots.is_accessible IS
    'Whether it is for vehicles with an accessible permit alone.';
COMMENT ON COLUMN parking_spots.current_booking IS
    'The booking that stands on it, or that it is RESERVED for: bookings.id, by a foreign key to '
    'gate.tickets, which has a row for each booking. Null: none.';
COMMENT ON COLUMN parking_spots.is_active IS 'False: taken away; neither counted nor given out.';

COMMENT ON TABLE pricing_rules IS
    'Versions of tariffs. Never edited: a change ends one row and begins another.';
COMMENT ON COLUMN pricing_rules.id IS 'Its id.';
COMMENT ON COLUMN pricing_rules.facility_id IS 'The facility it is a tariff of.';
COMMENT ON COLUMN pricing_rules.name IS 'The name of the tariff; its versions share it.';
COMMENT ON COLUMN pricing_rules.strategy IS 'How the price is found.';
COMMENT ON COLUMN pricing_rules.config IS
    'What docs/tariffs.md describes; gate.tariff_faults_v1 says what is wrong with one. Money is '
    'text, in the facility''s currency.';
COMMENT ON COLUMN pricing_rules.priority IS
    'The highest of those that are valid at entry, and whose conditions hold, governs the stay.';
COMMENT ON COLUMN pricing_rules.free_minutes IS
    'How long one may stay for nothing; 0: not at all.';
COMMENT ON COLUMN pricing_rules.valid_from IS 'Governs stays that begin at this instant or later.';
COMMENT ON COLUMN pricing_rules.valid_until IS
    'Governs no stay that begins at this instant or later; null: no end.';

COMMENT ON TABLE payments IS 'Payments, by whatever way.';
COMMENT ON COLUMN payments.id IS 'Its id.';
COMMENT ON COLUMN payments.user_id IS 'Who paid; null: somebody without an account.';
COMMENT ON COLUMN payments.amount IS 'What was paid, in currency; refunds are not taken off.';
COMMENT ON COLUMN payments.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN payments.provider IS 'By what way it came.';
COMMENT ON COLUMN payments.status IS
    'Where it stands. Counts as paid: amount less refunded, if COMPLETED or REFUNDED.';
COMMENT ON COLUMN payments.provider_txn_id IS
    'The provider''s own id of it, unique for each provider: told twice, it counts once. Null: it '
    'gave none.';
COMMENT ON COLUMN payments.created_at IS 'When it was made.';
COMMENT ON COLUMN payments.booking_id IS
    'What it was paid for: bookings.id. The trigger gate.booking_exists asks that it exists when '
    'it is written; it may be archived by now. Null: no booking.';
COMMENT ON COLUMN payments.refunded IS
    'What was given back in all, in currency: the sum of gate.refunds, kept by gate.refund_v1 and '
    'compared by gate.verify_v1.';

COMMENT ON TABLE subscriptions IS 'What can be subscribed to at a facility.';
COMMENT ON COLUMN subscriptions.id IS 'Its id.';
COMMENT ON COLUMN subscriptions.facility_id IS 'Where it is good for entries.';
COMMENT ON COLUMN subscriptions.name IS 'Its name for people.';
COMMENT ON COLUMN subscriptions.price IS 'What it costs, in the facility''s currency.';
COMMENT ON COLUMN subscriptions.duration_days IS 'How many days it lasts.';
COMMENT ON COLUMN subscriptions.entry_count IS 'Entries that it is good for; null: any number.';
COMMENT ON COLUMN subscriptions.is_active IS 'False: no longer sold; what was sold stays good.';

COMMENT ON TABLE user_subscriptions IS 'Who subscribed to what, until when.';
COMMENT ON COLUMN user_subscriptions.id IS 'Its id.';
COMMENT ON COLUMN user_subscriptions.user_id IS 'Who subscribed; covers this user''s vehicles.';
COMMENT ON COLUMN user_subscriptions.subscription_id IS 'What was subscribed to.';
COMMENT ON COLUMN user_subscriptions.activated_at IS 'Good for entries at this instant or later.';
COMMENT ON COLUMN user_subscriptions.expires_at IS 'Good for no entry at this instant or later.';
COMMENT ON COLUMN user_subscriptions.entries_remaining IS
    'Entries that are left; null: any number.';

COMMENT ON TABLE bookings IS 'Reservations and stays, by month of entry (UTC).';
COMMENT ON COLUMN bookings.id IS 'Its id, unique over all months by gate.tickets.';
COMMENT ON COLUMN bookings.user_id IS 'Whose it is; null: of somebody without an account.';
COMMENT ON COLUMN bookings.vehicle_id IS 'The registered vehicle; null: none.';
COMMENT ON COLUMN bookings.spot_id IS
    'The spot that it claims while CONFIRMED or ACTIVE (gate.claims), and had later; null: none.';
COMMENT ON COLUMN bookings.facility_id IS 'Where it takes place.';
COMMENT ON COLUMN bookings.ticket_number IS
    'Unique over all months; made by gate.ticket_number_v1 if left out.';
COMMENT ON COLUMN bookings.booking_type IS 'How it came about.';
COMMENT ON COLUMN bookings.status IS 'Where it stands; CONFIRMED and ACTIVE claim its spot.';
COMMENT ON COLUMN bookings.entry_time IS
    'When the vehicle was let in; before that, when it is expected. Says the month of the row.';
COMMENT ON COLUMN bookings.expected_exit IS
    'When its claim on the spot ends, though a vehicle that stays longer keeps the spot; null: no '
    'end.';
COMMENT ON COLUMN bookings.actual_exit IS 'When the vehicle was let out; null: it was not.';
COMMENT ON COLUMN bookings.estimated_price IS
    'What the reserved period would cost, in currency; null: not reserved, or no tariff.';
COMMENT ON COLUMN bookings.final_price IS
    'What the stay cost in all, in currency, frozen at exit; null: it has not ended.';
COMMENT ON COLUMN bookings.payment_id IS
    'The last payment that counted; null: none. All of them: payments.booking_id.';
COMMENT ON COLUMN bookings.plate_number IS
    'The normal form of the plate, plate_raw is as it was read or typed; null: that of its '
    'vehicle counts.';
COMMENT ON COLUMN bookings.plate_raw IS 'The plate as it was read or typed; null: neither.';
COMMENT ON COLUMN bookings.currency IS 'ISO 4217 code of its prices; null: none was stated.';
COMMENT ON COLUMN bookings.pricing_rule_id IS
    'The version of the tariff that governs the stay, in force at entry; null: before that, or no '
    'tariff.';
COMMENT ON COLUMN bookings.price_lines IS
    'The price line by line, frozen at exit; null: it has not ended.';
COMMENT ON COLUMN bookings.entry_lane_id IS 'Where it was let in; null: not by gated, or not yet.';
COMMENT ON COLUMN bookings.exit_lane_id IS 'Where it was let out; null: not by gated, or not yet.';
COMMENT ON COLUMN bookings.entry_known IS
    'How the passage is known: measured (by the closing loop), reported (by the barrier) or '
    'assumed; null until the vehicle has passed.';
COMMENT ON COLUMN bookings.exit_known IS
    'How the passage is known, as entry_known; null until the vehicle has passed.';
COMMENT ON COLUMN bookings.cancel_reason IS 'Null: not cancelled, or not stated.';
COMMENT ON COLUMN bookings.created_at IS 'When the row was made.';
COMMENT ON COLUMN bookings.reserved_from IS
    'The beginning of the reserved period, also when entry_time has become the real one; null: '
    'none stated.';
COMMENT ON COLUMN bookings.reserved_until IS
    'The end of the reserved period: who leaves later has overstayed; null, with reserved_from: '
    'none stated.';
COMMENT ON COLUMN bookings.size_needed IS
    'The smallest spot that will do; null: what its vehicle needs.';
COMMENT ON COLUMN bookings.wants_ev_charger IS 'Whether a spot with a charger is wanted.';
COMMENT ON COLUMN bookings.needs_accessible IS 'Whether an accessible spot is needed.';
COMMENT ON COLUMN bookings.entitlement IS
    'The right that the vehicle came in by: reservation, or subscription or staff, which cover '
    'the price; null: none, or not inside yet.';
COMMENT ON COLUMN bookings.user_subscription_id IS
    'Where an entry was taken from; set if, and only if, entitlement is subscription.';
COMMENT ON COLUMN bookings.paid_at IS
    'When the last payment left nothing due; null: none did, or a refund undid it.';
COMMENT ON COLUMN bookings.grace_until IS
    'Leaving until then costs no more than was paid; null, with paid_at.';
COMMENT ON COLUMN bookings.exit_match IS
    'Of a stay whose plate was misread at the exit: the plate, reason, distance and detail of the '
    'match (gated.core.matching). Null: it was read as it is.';
COMMENT ON COLUMN bookings.price_context IS
    'What gate.price_stay_v1 is asked with besides what is known of vehicle and reservation: '
    'occupancy_percent at entry, validations, lost_ticket.';
COMMENT ON COLUMN bookings.zone_id IS
    'The zone that counts the vehicle while it is inside without a spot, and did later; null: that '
    'of the spot.';
COMMENT ON COLUMN bookings.closed_reason IS
    'Why the stay was ended without an exit, in the words of who closed it; null: it was not. Its '
    'vehicle is let out all the same if it turns up.';

COMMENT ON TABLE violations IS
    'Offences and their penalties. They outlive the bookings that they name.';
COMMENT ON COLUMN violations.id IS 'Its id.';
COMMENT ON COLUMN violations.user_id IS 'Whose offence; null: of somebody without an account.';
COMMENT ON COLUMN violations.vehicle_id IS 'The registered vehicle; null: none.';
COMMENT ON COLUMN violations.facility_id IS 'Where it happened.';
COMMENT ON COLUMN violations.booking_id IS
    'The stay in which it happened: bookings.id. The trigger gate.booking_exists asks that it '
    'exists when it is written; it may be archived by now. Null: no booking.';
COMMENT ON COLUMN violations.violation_type IS 'The offence, as a stable word such as overstay.';
COMMENT ON COLUMN violations.penalty_amount IS
    'What it costs, in currency: what gate.penalties listed when it was written.';
COMMENT ON COLUMN violations.status IS 'Where it stands.';
COMMENT ON COLUMN violations.violation_time IS 'When it happened.';
COMMENT ON COLUMN violations.plate_number IS 'In normal form; null: unknown.';
COMMENT ON COLUMN violations.currency IS 'ISO 4217 code of the penalty; null: none was stated.';
COMMENT ON COLUMN violations.evidence IS 'What shows it: an object, by offence.';

COMMENT ON TABLE facility_staff IS 'Who may do what at a facility.';
COMMENT ON COLUMN facility_staff.id IS 'Its id.';
COMMENT ON COLUMN facility_staff.facility_id IS 'Where.';
COMMENT ON COLUMN facility_staff.staff_member IS 'Who.';
COMMENT ON COLUMN facility_staff.permissions IS
    'What: stable words; park covers the price of the member''s own stays, those of operators are in '
    'docs/operators.md.';
COMMENT ON COLUMN facility_staff.operator_name IS
    'As whom the member logs in at the broker; unique at the facility. Null: operates nothing.';

COMMENT ON TABLE audit_logs IS 'Who did what, on what, when, by month (UTC). Append-only.';
COMMENT ON COLUMN audit_logs.id IS 'Its id.';
COMMENT ON COLUMN audit_logs.user_id IS 'Who did it; null: no user, see actor.';
COMMENT ON COLUMN audit_logs.action IS 'What was done, as a stable word such as stay.admitted.';
COMMENT ON COLUMN audit_logs.resource_type IS 'The kind of thing it was done to, such as booking.';
COMMENT ON COLUMN audit_logs.resource_id IS
    'The id of that thing: a record, kept true by nothing; null: none.';
COMMENT ON COLUMN audit_logs."timestamp" IS 'When. Says the month of the row.';
COMMENT ON COLUMN audit_logs.facility_id IS 'Where; null: at no facility.';
COMMENT ON COLUMN audit_logs.actor IS 'Who it was, with or without a user: gated, web, operator and a login, the owner of the database.';
COMMENT ON COLUMN audit_logs.correlation_id IS
    'What led to it: the id of the inbox row or request, shared by all that followed; null: '
    'nothing.';
COMMENT ON COLUMN audit_logs.details IS 'The particulars: an object, by action.';

COMMENT ON TABLE gate.migrations IS 'Applied migrations; version 0: functions and grants.';
COMMENT ON COLUMN gate.migrations.version IS 'The number of its file; 0: functions and grants.';
COMMENT ON COLUMN gate.migrations.name IS 'The name of its file.';
COMMENT ON COLUMN gate.migrations.digest IS 'Of the file: one that was changed since is refused.';
COMMENT ON COLUMN gate.migrations.applied_at IS
    'When it was applied; version 0: for the last time.';

COMMENT ON TABLE gate.currencies IS 'ISO 4217 codes with their number of decimal places.';
COMMENT ON COLUMN gate.currencies.code IS 'ISO 4217 code.';
COMMENT ON COLUMN gate.currencies.exponent IS 'Decimal places: prices are rounded to so many.';

COMMENT ON TABLE gate.tickets IS
    'The directory of bookings over all months: unique ids and ticket numbers.';
COMMENT ON COLUMN gate.tickets.ticket_number IS 'bookings.ticket_number, unique over all months.';
COMMENT ON COLUMN gate.tickets.booking_id IS
    'bookings.id, unique over all months: kept true by the trigger gate.bookings_follow.';
COMMENT ON COLUMN gate.tickets.entry_time IS
    'bookings.entry_time: leads to the month of the booking.';

COMMENT ON TABLE gate.facility_settings IS
    'What the controller knows of a facility beyond the platform.';
COMMENT ON COLUMN gate.facility_settings.facility_id IS 'The facility it sets up.';
COMMENT ON COLUMN gate.facility_settings.slug IS
    'Its name in topics, files and logs, of a-z, 0-9 and -; unique, and never changed.';
COMMENT ON COLUMN gate.facility_settings.time_zone IS
    'IANA name, such as Europe/Berlin: what wall-clock rules are read in.';
COMMENT ON COLUMN gate.facility_settings.currency IS
    'ISO 4217 code of all amounts at the facility.';
COMMENT ON COLUMN gate.facility_settings.policy IS
    'What its lanes demand and how long they wait: an object; a key that is missing stands at '
    'gated''s default.';
COMMENT ON COLUMN gate.facility_settings.revision IS 'Grows with each change of the set-up.';
COMMENT ON COLUMN gate.facility_settings.vehicle_type_default IS
    'What a vehicle is taken for that nobody registered.';
COMMENT ON COLUMN gate.facility_settings.stay_minutes_expected IS
    'How many minutes a stay is thought to last that nobody booked.';
COMMENT ON COLUMN gate.facility_settings.early_minutes_max IS
    'How many minutes before its reserved time a vehicle may come.';
COMMENT ON COLUMN gate.facility_settings.late_minutes_max IS
    'For how many minutes after its reserved time the spot is kept; null: as long as it was '
    'reserved.';
COMMENT ON COLUMN gate.facility_settings.grace_minutes_exit IS
    'How many minutes there are to leave after paying.';
COMMENT ON COLUMN gate.facility_settings.ev_spots_kept IS
    'Whether spots with a charger are kept free for those who want one.';
COMMENT ON COLUMN gate.facility_settings.open_violation_denies IS
    'Whether an open violation at the facility is a reason to deny entry.';
COMMENT ON COLUMN gate.facility_settings.anti_passback IS
    'What becomes of a plate at the entrance that is inside already: hard denies, soft ends the '
    'stay that nobody saw leaving, writes it down and lets the vehicle in.';
COMMENT ON COLUMN gate.facility_settings.passback_reset_at IS
    'Stays that began before it refuse no entry of their plate; null: never reset.';
COMMENT ON COLUMN gate.facility_settings.sign_free_again IS
    'How many must be free again before a sign that said full says otherwise.';
COMMENT ON COLUMN gate.facility_settings.phantom_days IS
    'After how many days without a sign of its vehicle a stay is listed as a phantom.';
COMMENT ON COLUMN gate.facility_settings.phantom_policy IS
    'list: a phantom is closed by people alone. close_after_days: gated closes it too.';
COMMENT ON COLUMN gate.facility_settings.phantom_close_days IS
    'With close_after_days: after how many days without a sign.';
COMMENT ON COLUMN gate.facility_settings.drift_count_max IS
    'How many vehicles the ways of counting a zone may be apart before somebody is told.';
COMMENT ON COLUMN gate.facility_settings.overstay_grace_minutes IS
    'How many minutes past the end of its reservation a stay is no offence yet.';
COMMENT ON COLUMN gate.facility_settings.misuse_grace_minutes IS
    'How many minutes a vehicle may stand on a spot that is not for it before it is an offence.';
COMMENT ON COLUMN gate.facility_settings.opening IS
    'When entries admit, an object as [opening] of the site file; null: always.';
COMMENT ON COLUMN gate.facility_settings.display IS
    'Language and texts of the displays, an object as [display] of the site file.';

COMMENT ON TABLE gate.zone_settings IS
    'How a zone is filled; one without a row: from its lowest number on.';
COMMENT ON COLUMN gate.zone_settings.zone_id IS 'The zone it sets up.';
COMMENT ON COLUMN gate.zone_settings.fill_policy IS
    'Among spots of one size: lowest (by number), nearest (gate.spot_distances) or spread (by '
    'chance).';

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

COMMENT ON TABLE gate.penalties IS
    'What an offence costs at a facility; one that is not listed costs nothing.';
COMMENT ON COLUMN gate.penalties.facility_id IS 'Where it costs that.';
COMMENT ON COLUMN gate.penalties.violation_type IS 'The offence: violations.violation_type.';
COMMENT ON COLUMN gate.penalties.amount IS 'What it costs, in the facility''s currency.';

COMMENT ON TABLE gate.calendar_days IS
    'Days that are not like others; the bands and specials of tariffs name their kinds.';
COMMENT ON COLUMN gate.calendar_days.facility_id IS 'Whose calendar it is.';
COMMENT ON COLUMN gate.calendar_days.day IS 'The date, in the time zone of the facility.';
COMMENT ON COLUMN gate.calendar_days.kind IS
    'holiday, or a kind of event. The day before a holiday is a holiday_eve without being listed.';
COMMENT ON COLUMN gate.calendar_days.name IS 'For people.';

COMMENT ON TABLE gate.lanes IS 'One-way passages with a barrier.';
COMMENT ON COLUMN gate.lanes.id IS 'Its id.';
COMMENT ON COLUMN gate.lanes.facility_id IS 'The facility it leads into or out of.';
COMMENT ON COLUMN gate.lanes.slug IS
    'Its name in topics, files and logs, of a-z, 0-9 and -; unique in the facility.';
COMMENT ON COLUMN gate.lanes.direction IS
    'entry or exit of the facility; transfer: from one of its zones into another.';
COMMENT ON COLUMN gate.lanes.from_zone_id IS
    'The zone that the vehicles of a transfer come from; null: not a transfer.';
COMMENT ON COLUMN gate.lanes.policy IS
    'Where it differs from the policy of its facility: an object.';
COMMENT ON COLUMN gate.lanes.is_active IS 'False: out of service.';
COMMENT ON COLUMN gate.lanes.opening IS
    'Where it differs from the opening hours of its facility: an object; null: nowhere.';

COMMENT ON TABLE gate.lane_zones IS
    'The zones that an entry or a transfer lane fills, in order of position.';
COMMENT ON COLUMN gate.lane_zones.lane_id IS 'The entry or transfer lane.';
COMMENT ON COLUMN gate.lane_zones.zone_id IS 'A zone that it fills.';
COMMENT ON COLUMN gate.lane_zones.position IS 'The lowest comes first.';

COMMENT ON TABLE gate.spot_distances IS
    'How far it is from a lane to a spot, for zones that are filled by nearness.';
COMMENT ON COLUMN gate.spot_distances.lane_id IS 'The entry lane.';
COMMENT ON COLUMN gate.spot_distances.spot_id IS 'The spot; one without a row comes last.';
COMMENT ON COLUMN gate.spot_distances.metres IS 'How far it is, in metres.';

COMMENT ON TABLE gate.devices IS 'Cameras, barriers and sensors of the lanes.';
COMMENT ON COLUMN gate.devices.id IS 'Its id.';
COMMENT ON COLUMN gate.devices.facility_id IS 'The facility of its lane.';
COMMENT ON COLUMN gate.devices.lane_id IS 'The lane it serves.';
COMMENT ON COLUMN gate.devices.slug IS
    'Its name in logs, of a-z, 0-9 and -; unique in the facility.';
COMMENT ON COLUMN gate.devices.family IS 'What it speaks: the name of a codec.';
COMMENT ON COLUMN gate.devices.topic IS 'Its own topic prefix; empty where its family has none.';
COMMENT ON COLUMN gate.devices.options IS 'The settings of its family: an object.';
COMMENT ON COLUMN gate.devices.is_active IS 'False: out of service.';

COMMENT ON TABLE gate.leases IS
    'Which daemon acts for a facility; the fence grows at each change of holder.';
COMMENT ON COLUMN gate.leases.facility_id IS 'The facility.';
COMMENT ON COLUMN gate.leases.holder IS 'One run of one daemon, not a host; null: nobody.';
COMMENT ON COLUMN gate.leases.fence IS
    'Grows at each change of holder: a write under an older one is refused.';
COMMENT ON COLUMN gate.leases.expires_at IS 'By the clock of the database; null: given up.';

COMMENT ON TABLE gate.claims IS
    'Who has which spot when, while it lasts: no two may overlap. Also who is inside without one.';
COMMENT ON COLUMN gate.claims.booking_id IS
    'Who: bookings.id, by a foreign key to gate.tickets, which has a row for each booking.';
COMMENT ON COLUMN gate.claims.facility_id IS 'The facility of the booking.';
COMMENT ON COLUMN gate.claims.zone_id IS 'The zone of the spot, else bookings.zone_id.';
COMMENT ON COLUMN gate.claims.spot_id IS
    'The spot; null: the vehicle came in when none was left, and holds none.';
COMMENT ON COLUMN gate.claims.entry_time IS
    'bookings.entry_time: leads to the month of the booking.';
COMMENT ON COLUMN gate.claims.kind IS
    'stay: the vehicle is inside (ACTIVE). reservation: it is expected (CONFIRMED).';
COMMENT ON COLUMN gate.claims.plate IS
    'The normal form of the booking''s plate, else of its vehicle''s; null: neither is known.';
COMMENT ON COLUMN gate.claims.during IS
    'From entry (or reserved time) on, up to bookings.expected_exit; open-ended where that is '
    'null. Past its end a stay still keeps others from standing there.';
COMMENT ON COLUMN gate.claims.parker_group IS
    'Whose it is: a reservation''s, a permit_holder''s (a subscription, staff, a registered '
    'vehicle) or a transient''s.';

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

COMMENT ON TABLE gate.spot_changes IS
    'What facilities and zones have still to count: gate.count_changes_v1 does, and deletes it.';
COMMENT ON COLUMN gate.spot_changes.id IS 'Its id.';
COMMENT ON COLUMN gate.spot_changes.facility_id IS
    'facilities.id, by the trigger gate.spots_follow: no foreign key, for a row that is gone at '
    'once.';
COMMENT ON COLUMN gate.spot_changes.zone_id IS 'zones.id, by the trigger gate.spots_follow.';
COMMENT ON COLUMN gate.spot_changes.total IS 'To be added to total_spots; negative: taken off.';
COMMENT ON COLUMN gate.spot_changes.available IS
    'To be added to available_spots; negative: taken off.';

COMMENT ON TABLE gate.refunds IS
    'What was given back of payments, one by one; payments.refunded is their sum.';
COMMENT ON COLUMN gate.refunds.id IS 'Its id, made by the caller: told twice, it counts once.';
COMMENT ON COLUMN gate.refunds.payment_id IS 'The payment it was given back of.';
COMMENT ON COLUMN gate.refunds.amount IS 'What was given back, in the currency of the payment.';
COMMENT ON COLUMN gate.refunds.provider_txn_id IS
    'The provider''s own id of it, unique for each payment: told twice, it counts once. Null: it '
    'gave none.';
COMMENT ON COLUMN gate.refunds.reason IS 'Why, for people.';
COMMENT ON COLUMN gate.refunds.refunded_at IS 'When it was made.';

COMMENT ON TABLE gate.waivers IS
    'What was due for a stay and nobody has to pay: it lowers the price, by a line of its own.';
COMMENT ON COLUMN gate.waivers.id IS 'Its id, made by the caller: told twice, it counts once.';
COMMENT ON COLUMN gate.waivers.booking_id IS
    'The stay: bookings.id, asked for when it is written (gate.booking_exists).';
COMMENT ON COLUMN gate.waivers.amount IS 'What is waived of its price.';
COMMENT ON COLUMN gate.waivers.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN gate.waivers.reason IS 'Why, for people.';
COMMENT ON COLUMN gate.waivers.user_id IS 'Who waived it.';
COMMENT ON COLUMN gate.waivers.waived_at IS 'When.';

COMMENT ON TABLE gate.zone_counts IS 'How many vehicles the counter of a zone says are in it.';
COMMENT ON COLUMN gate.zone_counts.zone_id IS 'The zone.';
COMMENT ON COLUMN gate.zone_counts.facility_id IS 'The facility of the zone.';
COMMENT ON COLUMN gate.zone_counts.occupied IS 'Vehicles.';
COMMENT ON COLUMN gate.zone_counts.counted_at IS
    'When, by the clock of the counter as far as it is believed: a day back, and never ahead.';
COMMENT ON COLUMN gate.zone_counts.event_id IS
    'The inbox row that said so: gate.events.id, a record, kept true by nothing.';

COMMENT ON TABLE gate.spot_states IS 'What the sensor of a spot says of it.';
COMMENT ON COLUMN gate.spot_states.spot_id IS 'The spot.';
COMMENT ON COLUMN gate.spot_states.facility_id IS 'The facility of the spot.';
COMMENT ON COLUMN gate.spot_states.occupied IS 'Whether a vehicle stands there.';
COMMENT ON COLUMN gate.spot_states.plate IS
    'Its plate in normal form; null: nothing stands there, or the sensor could not read it.';
COMMENT ON COLUMN gate.spot_states.since IS
    'Since when, by the clock of the sensor as far as it is believed.';
COMMENT ON COLUMN gate.spot_states.heard_at IS 'When gated heard of it first, by its own clock.';
COMMENT ON COLUMN gate.spot_states.told_at IS
    'When the sensor last said so, by its clock as far as it is believed.';
COMMENT ON COLUMN gate.spot_states.event_id IS
    'The inbox row that last said so: gate.events.id, a record, kept true by nothing.';
COMMENT ON COLUMN gate.spot_states.noticed_at IS
    'When somebody was told that no stay explains it; null: nobody was.';

COMMENT ON TABLE gate.events IS 'The inbox: messages of the devices, by month of receipt (UTC).';
COMMENT ON COLUMN gate.events.id IS 'Its id: the correlation id of all that follows.';
COMMENT ON COLUMN gate.events.seq IS 'The order of arrival.';
COMMENT ON COLUMN gate.events.facility_id IS 'The facility that received it.';
COMMENT ON COLUMN gate.events.device_id IS 'Who sent it; null: no device has such a topic.';
COMMENT ON COLUMN gate.events.lane_id IS 'The lane of the device; null, with device_id.';
COMMENT ON COLUMN gate.events.event_key IS
    'The device''s id (- if there is none), a slash, and the message''s own id, else a digest, '
    'else the id of the row.';
COMMENT ON COLUMN gate.events.kind IS 'What it is, in a short stable word of its family''s codec.';
COMMENT ON COLUMN gate.events.topic IS 'The MQTT topic it came on.';
COMMENT ON COLUMN gate.events.payload IS 'As received; of a quarantined one, the beginning.';
COMMENT ON COLUMN gate.events.status IS
    'new: to be handled. done: handled. quarantined: not understood. dropped: understood, and not '
    'to be handled.';
COMMENT ON COLUMN gate.events.outcome IS
    'What became of it, as a stable word; null: not handled yet, or nothing to be handled.';
COMMENT ON COLUMN gate.events.error IS
    'Why it was quarantined, dropped or refused; null: it was not.';
COMMENT ON COLUMN gate.events.device_at IS
    'When, by the clock of the device; null: it sent no time.';
COMMENT ON COLUMN gate.events.received_at IS
    'When, by the clock of the daemon. Says the month of the row.';
COMMENT ON COLUMN gate.events.settled_at IS 'When it was handled; null: as outcome.';

COMMENT ON TABLE gate.event_keys IS
    'Keys of received messages, to know a repeated one; purged by age.';
COMMENT ON COLUMN gate.event_keys.facility_id IS 'The facility that received it.';
COMMENT ON COLUMN gate.event_keys.event_key IS 'gate.events.event_key; unique in the facility.';
COMMENT ON COLUMN gate.event_keys.event_id IS
    'gate.events.id of the first with this key: gate.append_events_v1 writes both.';
COMMENT ON COLUMN gate.event_keys.received_at IS 'When that one was received.';

COMMENT ON TABLE gate.decisions IS 'Grants and denials with their reasons, by month (UTC).';
COMMENT ON COLUMN gate.decisions.id IS 'Its id, that of its event: an event is decided once.';
COMMENT ON COLUMN gate.decisions.facility_id IS 'The facility of the lane.';
COMMENT ON COLUMN gate.decisions.lane_id IS 'Where the vehicle stood.';
COMMENT ON COLUMN gate.decisions.event_id IS
    'The inbox row that asked: the correlation id of all that follows.';
COMMENT ON COLUMN gate.decisions.decision IS 'grant or deny.';
COMMENT ON COLUMN gate.decisions.reason IS 'Why, as a stable word.';
COMMENT ON COLUMN gate.decisions.plate IS 'What was concluded, in normal form; null: nothing.';
COMMENT ON COLUMN gate.decisions.plate_raw IS 'What the camera sent; null: nothing.';
COMMENT ON COLUMN gate.decisions.confidence IS 'The camera''s own, 0 to 1; null: it sent none.';
COMMENT ON COLUMN gate.decisions.stay_id IS
    'The stay that it began or ended: bookings.id, a record, kept true by nothing; null: denied.';
COMMENT ON COLUMN gate.decisions.zone_id IS 'The zone of the spot; null: denied.';
COMMENT ON COLUMN gate.decisions.spot_id IS 'The spot of the stay; null: denied.';
COMMENT ON COLUMN gate.decisions.price IS 'The price of the stay, in currency; null: not an exit.';
COMMENT ON COLUMN gate.decisions.currency IS 'ISO 4217 code; null, with price.';
COMMENT ON COLUMN gate.decisions.command_id IS
    'What was ordered: gate.commands.id, a record, kept true by nothing; null: nothing.';
COMMENT ON COLUMN gate.decisions.received_at IS
    'gate.events.received_at: leads to the month of the event.';
COMMENT ON COLUMN gate.decisions.decided_at IS 'When. Says the month of the row.';
COMMENT ON COLUMN gate.decisions.facts IS
    'What was known when it was decided, which rule held and which zones refused; null: not kept.';
COMMENT ON COLUMN gate.decisions.fence_waited_ms IS
    'How long its transaction took to hold its fence, in milliseconds; null: not measured.';
COMMENT ON COLUMN gate.decisions.lock_waited_ms IS
    'How long it waited for the rows of the booking and the spot, in milliseconds; null: for none.';

COMMENT ON TABLE gate.commands IS 'The outbox: what barriers were told, and what became of it.';
COMMENT ON COLUMN gate.commands.id IS 'Its id, by which the device answers.';
COMMENT ON COLUMN gate.commands.facility_id IS 'The facility of the lane.';
COMMENT ON COLUMN gate.commands.lane_id IS 'The lane of the device.';
COMMENT ON COLUMN gate.commands.device_id IS 'Who is told.';
COMMENT ON COLUMN gate.commands.event_id IS
    'The inbox row that led to it: gate.events.id, a record, kept true by nothing.';
COMMENT ON COLUMN gate.commands.do_what IS 'What the barrier is told.';
COMMENT ON COLUMN gate.commands.reason IS 'Why, as a stable word.';
COMMENT ON COLUMN gate.commands.plate IS 'For the display, in normal form; null: none.';
COMMENT ON COLUMN gate.commands.stay_id IS
    'Whom it lets pass: bookings.id, a record, kept true by nothing; null: nobody.';
COMMENT ON COLUMN gate.commands.price IS 'For the display, in currency; null: none.';
COMMENT ON COLUMN gate.commands.currency IS 'ISO 4217 code; null, with price.';
COMMENT ON COLUMN gate.commands.fence IS
    'gate.leases.fence of who ordered it: hardware can refuse an older one.';
COMMENT ON COLUMN gate.commands.status IS
    'accepted: to be sent. dispatched: taken for sending. acknowledged: received. confirmed: '
    'done, by the report of the hardware. expired: not sent in time. failed: refused, or not '
    'sent. unknown: sent, perhaps, and not answered. cancelled: withdrawn before it was sent.';
COMMENT ON COLUMN gate.commands.issued_at IS 'When it was ordered.';
COMMENT ON COLUMN gate.commands.expires_at IS 'From then on it is never sent.';
COMMENT ON COLUMN gate.commands.dispatched_at IS 'When it was taken for sending; null: it was not.';
COMMENT ON COLUMN gate.commands.acknowledged_at IS
    'When its receipt was reported; null: it was not.';
COMMENT ON COLUMN gate.commands.confirmed_at IS 'When it was reported done; null: it was not.';
COMMENT ON COLUMN gate.commands.ended_at IS
    'When it was expired, failed, unknown or cancelled; null: none of these.';
COMMENT ON COLUMN gate.commands.error IS 'What went wrong; null: nothing that was reported.';
COMMENT ON COLUMN gate.commands.text IS 'What it brings to the display, line by line.';

COMMENT ON TABLE gate.reconciliations IS 'Contradictions that wait for an operator.';
COMMENT ON COLUMN gate.reconciliations.id IS 'Its id.';
COMMENT ON COLUMN gate.reconciliations.facility_id IS 'Where.';
COMMENT ON COLUMN gate.reconciliations.kind IS
    'What does not fit, as a stable word such as available_spots.';
COMMENT ON COLUMN gate.reconciliations.details IS 'The particulars: an object, by kind.';
COMMENT ON COLUMN gate.reconciliations.created_at IS 'When it was found.';
COMMENT ON COLUMN gate.reconciliations.resolved_at IS 'When it was settled; null: it waits.';
COMMENT ON COLUMN gate.reconciliations.resolved_by IS
    'Who settled it; null: nobody with an account.';
COMMENT ON COLUMN gate.reconciliations.resolution IS
    'How it was settled, for people; null: it waits, or nobody said.';

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

COMMENT ON TABLE gate.free_passages IS
    'Vehicles that passed without a grant: what became of each, once.';
COMMENT ON COLUMN gate.free_passages.id IS 'The message that showed it: gate.events.id, a record.';
COMMENT ON COLUMN gate.free_passages.facility_id IS 'The facility of the lane.';
COMMENT ON COLUMN gate.free_passages.lane_id IS 'Where it passed.';
COMMENT ON COLUMN gate.free_passages.direction IS 'entry, exit or transfer.';
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
    'stay_opened, stay_ended, stay_moved, already_inside or nobody_known.';
COMMENT ON COLUMN gate.free_passages.stay_id IS
    'The stay that it began, moved, ended or was found in: bookings.id, a record; null: none.';
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

COMMENT ON TABLE gate.lane_modes IS
    'Whether a lane is held open or closed for traffic; one without a row is in service.';
COMMENT ON COLUMN gate.lane_modes.lane_id IS 'The lane.';
COMMENT ON COLUMN gate.lane_modes.facility_id IS 'The facility of the lane.';
COMMENT ON COLUMN gate.lane_modes.mode IS
    'in_service. held: open until it is released. closed: nobody passes.';
COMMENT ON COLUMN gate.lane_modes.since IS 'Since when.';
COMMENT ON COLUMN gate.lane_modes.user_id IS 'Who ordered it; null: nobody with an account.';
COMMENT ON COLUMN gate.lane_modes.reason IS 'Why, for people.';
COMMENT ON COLUMN gate.lane_modes.event_id IS
    'The request: gate.events.id, a record, kept true by nothing.';

COMMENT ON TABLE gate.facility_modes IS
    'Whether a facility is being evacuated; one without a row is not.';
COMMENT ON COLUMN gate.facility_modes.facility_id IS 'The facility.';
COMMENT ON COLUMN gate.facility_modes.mode IS
    'normal. evacuation: exits stand open, entries are shut, nothing is charged.';
COMMENT ON COLUMN gate.facility_modes.since IS 'Since when.';
COMMENT ON COLUMN gate.facility_modes.user_id IS
    'Who ordered it; null: nobody, a fire input did.';
COMMENT ON COLUMN gate.facility_modes.reason IS 'Why, for people.';
COMMENT ON COLUMN gate.facility_modes.event_id IS
    'The request or the contact: gate.events.id, a record, kept true by nothing.';

COMMENT ON TABLE gate.evacuations IS
    'When a facility was evacuated: that time is not charged to anybody.';
COMMENT ON COLUMN gate.evacuations.facility_id IS 'The facility.';
COMMENT ON COLUMN gate.evacuations.began_at IS 'Since when.';
COMMENT ON COLUMN gate.evacuations.ended_at IS 'Until when; null: it goes on.';
