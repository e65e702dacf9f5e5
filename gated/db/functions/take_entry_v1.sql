-- Promises one entry taken from the user's subscription, answered as 'admitted'; or, with nothing
-- taken, 'right_used_up' or 'right_expired'. An unlimited subscription has nothing to take.
CREATE OR REPLACE FUNCTION gate.take_entry_v1(
    p_facility uuid, p_subscription uuid, p_user uuid, p_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_right public.user_subscriptions;
BEGIN
    SELECT u.* INTO v_right
    FROM public.user_subscriptions u
    JOIN public.subscriptions s ON s.id = u.subscription_id
    JOIN public.users o ON o.id = u.user_id AND o.is_active
    WHERE u.id = p_subscription AND u.user_id = p_user AND s.facility_id = p_facility
        AND u.activated_at <= p_at AND p_at < u.expires_at
    FOR NO KEY UPDATE OF u;
    IF NOT FOUND THEN
        RETURN 'right_expired';
    END IF;
    IF v_right.entries_remaining = 0 THEN
        RETURN 'right_used_up';
    END IF;
    UPDATE public.user_subscriptions u SET entries_remaining = u.entries_remaining - 1
    WHERE u.id = p_subscription AND u.entries_remaining > 0;
    RETURN 'admitted';
END
$$;
