-- Whether the message of the payment is given up by this call.
SELECT gate.give_up_payment_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
