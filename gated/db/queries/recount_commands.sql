-- Every open command, and whether a grant stands behind it.
SELECT c.id, s.slug AS facility, l.slug AS lane, c.expires_at,
       EXISTS (
           SELECT FROM gate.decisions d
           WHERE d.command_id = c.id AND d.event_id = c.event_id AND d.decision = 'grant'
       ) AS granted
FROM gate.commands c
JOIN gate.lanes l ON l.id = c.lane_id
JOIN gate.facility_settings s ON s.facility_id = c.facility_id
WHERE c.do_what = 'open'
