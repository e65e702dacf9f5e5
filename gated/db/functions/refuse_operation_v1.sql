-- Promises that an operator's request is settled as refused by the daemon itself, for the reason
-- p_outcome ('too_old', 'lane_unknown', …), with an audit row. False, with nothing written, when
-- it was decided before by another call.
CREATE OR REPLACE FUNCTION gate.refuse_operation_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_lane uuid,
    p_name text,
    p_do text,
    p_reason text,
    p_outcome text,
    p_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    IF v_event.status <> 'new' THEN
        RETURN EXISTS (SELECT FROM gate.operation_told_v1(p_facility, p_event, p_at));
    END IF;
    PERFORM gate.settle_operation_v1(p_event, v_event.received_at, p_outcome, p_at);
    PERFORM gate.record_operation_v1(
        p_facility, p_event, p_name,
        (SELECT o.user_id FROM gate.operator_v1(p_facility, p_name, p_do, p_reason) o), p_do,
        CASE WHEN p_lane IS NULL THEN 'facility' ELSE 'lane' END, coalesce(p_lane, p_facility),
        p_reason, p_outcome, p_at);
    RETURN true;
END
$$;
