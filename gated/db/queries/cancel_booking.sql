-- The outcome.
SELECT gate.cancel_booking_v1($1, $2, $3, $4, $5, $6)
