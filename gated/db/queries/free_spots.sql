-- Per zone and kind of spot: how many are free over the whole period. No row where none is.
SELECT zone, code, size::text AS size, has_ev_charger, is_accessible, free
FROM gate.free_spots_v1($1, $2, $3, $4, $5::text::public.spot_size, $6, $7)
