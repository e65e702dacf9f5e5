-- Terminals are answered: until when a driver who has paid has to leave is part of that.
-- It gets one more column; whoever asks for the others by name does not notice. The upgrade makes
-- it anew.
DROP FUNCTION IF EXISTS gate.take_payment_v1(
    uuid, bigint, uuid, uuid, text, text, numeric, text, text, text, timestamptz);
