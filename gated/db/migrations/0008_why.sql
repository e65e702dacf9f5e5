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
