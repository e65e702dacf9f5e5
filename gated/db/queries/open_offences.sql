-- The offences of vehicles that stand in the facility $1 at $2 and had none so far.
SELECT kind, violation, stay, zone, spot_number, since FROM gate.open_offences_v1($1, $2)
