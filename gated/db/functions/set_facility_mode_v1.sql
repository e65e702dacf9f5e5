-- Promises that a facility is being evacuated (p_do 'evacuate') or no longer ('resume'), in one
-- transaction: the request decided, the mode written, an audit row with user and reason. A mode that
-- stands already keeps its first user, time and reason.
--
-- p_name null: nobody asked, a contact did (the fire input), whose message p_event is.
--
-- Outcomes: 'done'; refused, with the request settled, an audit row and nothing else: those of
-- gate.operator_v1; 'event_done', with nothing written.
CREATE OR REPLACE FUNCTION gate.set_facility_mode_v1(
    p_facility uuid,
    p_fence bigint,
    p_event uuid,
    p_name text,
    p_do text,
    p_reason text,
    p_at timestamptz,
    OUT outcome text,
    OUT operator uuid,
    OUT mode text,
    OUT changed boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    v_event record;
    v_wanted CONSTANT text := CASE p_do
        WHEN 'evacuate' THEN 'evacuation' WHEN 'resume' THEN 'normal' END;
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    SELECT e.* INTO v_event FROM gate.event_status_v1(p_facility, p_event, p_at) e;
    SELECT t.outcome, t.user_id, coalesce((t.details ->> 'changed')::boolean, false)
    INTO outcome, operator, changed
    FROM gate.operation_told_v1(p_facility, p_event, p_at) t;
    IF NOT FOUND THEN
        changed := false;
        IF v_event.status <> 'new' THEN
            outcome := 'event_done';
        ELSE
            IF p_name IS NOT NULL THEN
                SELECT o.user_id, o.refusal INTO operator, outcome
                FROM gate.operator_v1(p_facility, p_name, p_do, p_reason) o;
            END IF;
            outcome := coalesce(outcome, 'done');
            IF outcome = 'done' THEN
                INSERT INTO gate.facility_modes AS m (
                    facility_id, mode, since, user_id, reason, event_id
                ) VALUES (p_facility, v_wanted, p_at, operator, p_reason, p_event)
                ON CONFLICT (facility_id) DO UPDATE SET
                    mode = excluded.mode, since = excluded.since, user_id = excluded.user_id,
                    reason = excluded.reason, event_id = excluded.event_id
                WHERE m.mode <> excluded.mode;
                changed := FOUND;
                IF changed AND v_wanted = 'evacuation' THEN
                    -- One that ends at the very moment at which it begins again goes on.
                    INSERT INTO gate.evacuations AS e (facility_id, began_at)
                    VALUES (p_facility, greatest(p_at, (
                        SELECT max(e.ended_at) FROM gate.evacuations e
                        WHERE e.facility_id = p_facility)))
                    ON CONFLICT (facility_id, began_at) DO UPDATE SET ended_at = NULL;
                ELSIF changed THEN
                    UPDATE gate.evacuations e SET ended_at = greatest(p_at, e.began_at)
                    WHERE e.facility_id = p_facility AND e.ended_at IS NULL;
                END IF;
            END IF;
            PERFORM gate.settle_operation_v1(p_event, v_event.received_at, outcome, p_at);
            PERFORM gate.record_operation_v1(
                p_facility, p_event, p_name, operator, p_do, 'facility', p_facility, p_reason,
                outcome, p_at, jsonb_build_object('changed', changed, 'fence', p_fence));
        END IF;
    END IF;
    SELECT m.mode INTO mode FROM gate.facility_modes m WHERE m.facility_id = p_facility;
    mode := coalesce(mode, 'normal');
END
$$;
