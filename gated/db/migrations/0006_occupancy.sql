-- What sensors say of zones and spots, what is thought of stays whose vehicle is gone, and what is
-- asked before a stay is one of those.

-- As daemons come to it, before the settings.
LOCK TABLE public.bookings IN ACCESS EXCLUSIVE MODE;

ALTER TABLE gate.facility_settings
    ADD COLUMN phantom_days integer NOT NULL DEFAULT 7 CHECK (phantom_days > 0),
    ADD COLUMN phantom_policy text NOT NULL DEFAULT 'list'
        CHECK (phantom_policy IN ('list', 'close_after_days')),
    ADD COLUMN phantom_close_days integer CHECK (phantom_close_days > 0),
    ADD COLUMN drift_count_max integer NOT NULL DEFAULT 5 CHECK (drift_count_max >= 0),
    ADD COLUMN overstay_grace_minutes integer NOT NULL DEFAULT 0
        CHECK (overstay_grace_minutes >= 0),
    ADD COLUMN misuse_grace_minutes integer NOT NULL DEFAULT 15 CHECK (misuse_grace_minutes >= 0),
    ADD CONSTRAINT facility_settings_phantom_check CHECK (
        phantom_policy <> 'close_after_days' OR phantom_close_days IS NOT NULL);

-- No row breaks the rule; 0007 proves it.
ALTER TABLE bookings
    ADD COLUMN closed_reason text,
    ADD CONSTRAINT bookings_closed_reason_check CHECK (closed_reason <> '') NOT VALID;

-- The plate first, so that one look finds a vehicle at whichever facility it came to.
DROP INDEX bookings_plate_idx;
CREATE INDEX bookings_plate_idx ON bookings (plate_number, facility_id, entry_time);

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

COMMENT ON COLUMN bookings.closed_reason IS
    'Why the stay was ended without an exit, in the words of who closed it; null: it was not. Its '
    'vehicle is let out all the same if it turns up.';

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
