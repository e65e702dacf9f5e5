-- Every open command, and what it is of: the decision to let a vehicle pass, the same once more for
-- an arm that did not move, or an operator's act; null: of nothing.
SELECT c.id, s.slug AS facility, l.slug AS lane, c.expires_at, c.event_id,
       CASE
           WHEN EXISTS (
               SELECT FROM gate.decisions d
               WHERE d.event_id = c.event_id AND d.decision = 'grant'
                   AND (d.command_id = c.id
                       OR d.stay_id = c.stay_id AND c.reason IN ('arm_not_opened', 'arm_came_down'))
           ) THEN 'grant'
           WHEN EXISTS (
               SELECT FROM public.audit_logs a
               WHERE a.correlation_id = c.event_id AND a.action = 'operator.open'
                   AND a.details ->> 'command' = c.id::text
           ) THEN 'operator'
       END AS cause
FROM gate.commands c
JOIN gate.lanes l ON l.id = c.lane_id
JOIN gate.facility_settings s ON s.facility_id = c.facility_id
WHERE c.do_what = 'open'
