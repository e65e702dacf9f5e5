-- Promises what a price depends on of vehicle, user and zone, as the context of
-- gate.price_stay_v1; members are the user's subscriptions at the facility that are valid at p_at.
CREATE OR REPLACE FUNCTION gate.party_context_v1(
    p_facility uuid, p_vehicle uuid, p_user uuid, p_zone uuid, p_at timestamptz
) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
            SELECT jsonb_build_object('vehicle_type', v.vehicle_type, 'electric', v.is_electric,
                'accessible', v.has_accessible_permit)
            FROM public.vehicles v WHERE v.id = p_vehicle), '{}')
        || coalesce((
            SELECT jsonb_build_object('members', jsonb_agg(DISTINCT s.name))
            FROM public.user_subscriptions u
            JOIN public.subscriptions s ON s.id = u.subscription_id
            WHERE u.user_id = p_user AND s.facility_id = p_facility
                AND u.activated_at <= p_at AND p_at < u.expires_at
            HAVING count(*) > 0), '{}')
        || coalesce((
            SELECT jsonb_build_object('zone', z.code) FROM public.zones z
            WHERE z.id = p_zone AND z.facility_id = p_facility), '{}')
$$;
