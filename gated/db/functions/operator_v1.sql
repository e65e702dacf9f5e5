-- Promises who the operator of this name is, and why the act is refused: null if it is not.
--
-- Refusals: 'user_unknown' (no member of the facility's staff goes by that name at the broker),
-- 'not_permitted' (the account is closed, or has no right to it), 'reason_missing'. The right is a
-- word of facility_staff.permissions: that of the act, or 'operate' for the acts on a barrier.
-- Administrators and the facility's owner may do everything.
CREATE OR REPLACE FUNCTION gate.operator_v1(
    p_facility uuid, p_name text, p_do text, p_reason text,
    OUT user_id uuid, OUT refusal text
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_may boolean;
BEGIN
    SELECT s.staff_member, u.is_active AND (
        u.role = 'ADMIN' OR coalesce(f.owner_id = u.id, false)
        OR p_do = ANY (s.permissions)
        OR p_do IN ('open', 'hold', 'release', 'lane_close', 'lane_open')
            AND 'operate' = ANY (s.permissions))
    INTO user_id, v_may
    FROM public.facility_staff s
    JOIN public.users u ON u.id = s.staff_member
    JOIN public.facilities f ON f.id = s.facility_id
    WHERE s.facility_id = p_facility AND s.operator_name = p_name;
    refusal := CASE
        WHEN user_id IS NULL THEN 'user_unknown'
        WHEN NOT v_may THEN 'not_permitted'
        WHEN coalesce(p_reason, '') !~ '\S' THEN 'reason_missing' END;
END
$$;
