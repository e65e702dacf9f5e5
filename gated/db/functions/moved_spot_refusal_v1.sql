-- Promises the reason why the zone takes in no stay from another zone of the facility, whatever is
-- free; null if it may be tried. A part of gate.move_stay_v1, before anything is locked.
CREATE OR REPLACE FUNCTION gate.moved_spot_refusal_v1(
    p_facility uuid, p_stay uuid, p_zone uuid, p_anyway boolean, p_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_open boolean := gate.open_zone_v1(p_facility, p_zone);
    v_claim gate.claims;
BEGIN
    SELECT c.* INTO v_claim FROM gate.claims c
    WHERE c.booking_id = p_stay AND c.facility_id = p_facility AND c.kind = 'stay';
    IF NOT FOUND THEN
        RETURN 'no_open_stay';
    ELSIF p_anyway OR v_claim.zone_id = p_zone THEN
        RETURN NULL;
    ELSIF NOT v_open THEN
        RETURN 'zone_closed';
    END IF;
    RETURN gate.limit_refusal_v1(p_facility, p_zone, v_claim.parker_group, p_at, true);
END
$$;
