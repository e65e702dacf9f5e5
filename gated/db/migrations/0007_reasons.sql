-- What displays say and when entries admit: settings of facilities and lanes, and what was shown.

-- The rule of 0006: looks through the rows while vehicles go in and out.
ALTER TABLE public.bookings VALIDATE CONSTRAINT bookings_closed_reason_check;

ALTER TABLE gate.facility_settings
    ADD COLUMN opening jsonb CHECK (jsonb_typeof(opening) = 'object'),
    ADD COLUMN display jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(display) = 'object');
ALTER TABLE gate.lanes
    ADD COLUMN opening jsonb CHECK (jsonb_typeof(opening) = 'object');
ALTER TABLE gate.commands ADD COLUMN text text;

COMMENT ON COLUMN gate.facility_settings.opening IS
    'When entries admit, an object as [opening] of the site file; null: always.';
COMMENT ON COLUMN gate.facility_settings.display IS
    'Language and texts of the displays, an object as [display] of the site file.';
COMMENT ON COLUMN gate.lanes.opening IS
    'Where it differs from the opening hours of its facility: an object; null: nowhere.';
COMMENT ON COLUMN gate.commands.text IS 'What it brings to the display, line by line.';
