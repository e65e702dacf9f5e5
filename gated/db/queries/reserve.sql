-- Exactly one row: the outcome, and the booking that stands where it is 'reserved'.
SELECT outcome, ticket, zone, spot, spot_number, estimated_price, currency
FROM gate.reserve_v1(
    p_booking => $1, p_facility => $2, p_from => $3, p_until => $4, p_at => $5, p_plate => $6,
    p_vehicle => $7, p_user => $8, p_zone => $9, p_spot => $10,
    p_size => $11::text::public.spot_size, p_wants_charger => $12, p_accessible => $13,
    p_actor => $14, p_staff => $15)
