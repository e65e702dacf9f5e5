-- What a decision rested on, and how long its transaction waited: for `gated why`.
ALTER TABLE gate.decisions
    ADD COLUMN facts jsonb CHECK (jsonb_typeof(facts) = 'object'),
    ADD COLUMN fence_waited_ms real,
    ADD COLUMN lock_waited_ms real;

COMMENT ON COLUMN gate.decisions.facts IS
    'What was known when it was decided, which rule held and which zones refused; null: not kept.';
COMMENT ON COLUMN gate.decisions.fence_waited_ms IS
    'How long its transaction took to hold its fence, in milliseconds; null: not measured.';
COMMENT ON COLUMN gate.decisions.lock_waited_ms IS
    'How long it waited for the rows of the booking and the spot, in milliseconds; null: for none.';

-- These get one more argument or column; whoever calls them by name does not notice. The upgrade
-- makes them anew.
DROP FUNCTION IF EXISTS gate.record_decision_v1(
    uuid, bigint, uuid, timestamptz, uuid, text, text, text, text, real, uuid, uuid, uuid, numeric,
    char, timestamptz, uuid, uuid, text, text, timestamptz, timestamptz, boolean, text);
DROP FUNCTION IF EXISTS gate.deny_v1(
    uuid, bigint, uuid, uuid, text, text, text, real, timestamptz, uuid, uuid, text, text,
    timestamptz, timestamptz, boolean, text);
DROP FUNCTION IF EXISTS gate.admit_v1(
    uuid, bigint, uuid, uuid, uuid, uuid, text, text, real, timestamptz, text, uuid, uuid, uuid,
    uuid, text, text, timestamptz, timestamptz, boolean, text, uuid, uuid, text);
DROP FUNCTION IF EXISTS gate.release_v1(
    uuid, bigint, uuid, uuid, uuid, text, text, real, timestamptz, text, uuid, uuid, text, text,
    timestamptz, timestamptz, boolean, jsonb, text);
DROP FUNCTION IF EXISTS gate.move_stay_v1(
    uuid, bigint, uuid, uuid, uuid, uuid, boolean, text, text, real, timestamptz, text, uuid, uuid,
    text, text, timestamptz, timestamptz, boolean, jsonb, text);
DROP FUNCTION IF EXISTS gate.admit_walk_in_v1(
    uuid, uuid, uuid, uuid, text, text, timestamptz, uuid, uuid, text, uuid);
DROP FUNCTION IF EXISTS gate.admit_booking_v1(
    uuid, uuid, uuid, uuid, text, text, timestamptz, uuid);
DROP FUNCTION IF EXISTS gate.admit_again_v1(
    uuid, text, uuid, uuid, uuid, uuid, uuid, text, text, timestamptz, uuid, uuid, text, uuid, uuid);
DROP FUNCTION IF EXISTS gate.lock_spot_v1(
    uuid, uuid, public.spot_size, boolean, boolean, tstzrange, uuid);
DROP FUNCTION IF EXISTS gate.lock_moved_spot_v1(public.bookings, uuid, uuid, timestamptz);
