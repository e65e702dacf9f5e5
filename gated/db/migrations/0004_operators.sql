-- What operators may do and have done: their names at the broker, what lasts of their acts (a lane
-- held or closed, a facility evacuated), and what they waived.

-- The rule of 0003: looks through the rows while vehicles go in and out.
ALTER TABLE public.bookings VALIDATE CONSTRAINT bookings_place_check;

ALTER TABLE facility_staff ADD COLUMN operator_name text
    CHECK (operator_name ~ '^[A-Za-z0-9._@-]{1,64}$');
CREATE UNIQUE INDEX facility_staff_operator_key ON facility_staff (facility_id, operator_name);

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

COMMENT ON COLUMN facility_staff.permissions IS
    'What: stable words; park covers the price of the member''s own stays, those of operators are in '
    'docs/operators.md.';
COMMENT ON COLUMN facility_staff.operator_name IS
    'As whom the member logs in at the broker; unique at the facility. Null: operates nothing.';
COMMENT ON COLUMN gate.events.error IS
    'Why it was quarantined, dropped or refused; null: it was not.';

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
