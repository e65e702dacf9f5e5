-- What displays say and when entries admit: settings of facilities and lanes, and what was shown.
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

-- These get one more argument or column; whoever calls them by name does not notice. The upgrade
-- makes them anew.
DROP FUNCTION IF EXISTS gate.plate_snapshot_v1(uuid, text, text, timestamptz);
DROP FUNCTION IF EXISTS gate.add_command_v1(
    uuid, bigint, uuid, uuid, text, uuid, numeric, char, uuid, uuid, text, text, timestamptz,
    timestamptz, boolean);
DROP FUNCTION IF EXISTS gate.record_decision_v1(
    uuid, bigint, uuid, timestamptz, uuid, text, text, text, text, real, uuid, uuid, uuid, numeric,
    char, timestamptz, uuid, uuid, text, text, timestamptz, timestamptz, boolean);
DROP FUNCTION IF EXISTS gate.deny_v1(
    uuid, bigint, uuid, uuid, text, text, text, real, timestamptz, uuid, uuid, text, text,
    timestamptz, timestamptz, boolean);
DROP FUNCTION IF EXISTS gate.ask_payment_v1(
    uuid, bigint, uuid, uuid, uuid, text, numeric, char, timestamptz, uuid, uuid, text, text,
    timestamptz, timestamptz, boolean);
DROP FUNCTION IF EXISTS gate.admit_v1(
    uuid, bigint, uuid, uuid, uuid, uuid, text, text, real, timestamptz, text, uuid, uuid, uuid,
    uuid, text, text, timestamptz, timestamptz, boolean, text, uuid, uuid);
DROP FUNCTION IF EXISTS gate.release_v1(
    uuid, bigint, uuid, uuid, uuid, text, text, real, timestamptz, text, uuid, uuid, text, text,
    timestamptz, timestamptz, boolean, jsonb);
DROP FUNCTION IF EXISTS gate.send_command_v1(
    uuid, bigint, uuid, uuid, text, uuid, uuid, uuid, text, text, timestamptz, timestamptz,
    boolean);
DROP FUNCTION IF EXISTS gate.operate_v1(
    uuid, bigint, uuid, uuid, text, text, text, timestamptz, uuid, uuid, text, text, timestamptz,
    timestamptz, boolean);
