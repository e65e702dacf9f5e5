-- What gated made of what happened at the lanes, each by a word, and how often.
SELECT concat_ws('_', 'passed', f.kind, f.direction, f.outcome) AS act, count(*) AS times
FROM gate.free_passages f GROUP BY 1
UNION ALL
SELECT concat_ws('_', 'cancelled', b.cancel_reason), count(*)
FROM public.bookings b WHERE b.status = 'CANCELLED' GROUP BY 1
UNION ALL
SELECT CASE b.exit_match ->> 'reason' WHEN 'operator' THEN 'matched_by_hand' ELSE 'matched' END, count(*)
FROM public.bookings b WHERE b.status = 'COMPLETED' AND b.exit_match IS NOT NULL GROUP BY 1
UNION ALL
SELECT a.action, count(*)
FROM public.audit_logs a WHERE a.action IN ('operator.open', 'operator.match', 'payment.asked') GROUP BY 1
UNION ALL
SELECT concat_ws('_', n.name, n.detail), count(*)
FROM gate.lane_notes n GROUP BY 1
UNION ALL
SELECT concat_ws('_', 'violation', v.violation_type), count(*)
FROM public.violations v GROUP BY 1
UNION ALL
SELECT 'asked_again', count(*)
FROM gate.commands c WHERE c.do_what = 'open' AND c.reason IN ('arm_not_opened', 'arm_came_down')
ORDER BY act
