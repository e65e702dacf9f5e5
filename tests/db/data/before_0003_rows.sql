-- A car park in use, as it was before 0003_passages: written by the tables' own triggers and, where
-- a stored function would have written, by hand. Times are relative to the transaction's.
--
-- Ids end in what they are: 1.. people, 2.. vehicles, 3.. the place, 4.. spots, 5.. lanes, 6.. tariff
-- and subscription, 7.. stays, 8.. payments, 9.. messages.

INSERT INTO users (id, email, role, phone) VALUES
    ('00000000-0000-4000-8000-000000000101', 'owner@example.com', 'OWNER', NULL),
    ('00000000-0000-4000-8000-000000000102', 'staff@example.com', 'STAFF', '+47 1'),
    ('00000000-0000-4000-8000-000000000103', 'member@example.com', 'CUSTOMER', NULL),
    ('00000000-0000-4000-8000-000000000104', 'guest@example.com', 'CUSTOMER', NULL);
INSERT INTO vehicles (id, user_id, plate_number, vehicle_type, is_electric, is_blocked) VALUES
    ('00000000-0000-4000-8000-000000000201', '00000000-0000-4000-8000-000000000102',
        'ST 102', 'CAR', false, false),
    ('00000000-0000-4000-8000-000000000202', '00000000-0000-4000-8000-000000000103',
        'me-103', 'SUV', true, false),
    ('00000000-0000-4000-8000-000000000203', '00000000-0000-4000-8000-000000000104',
        'GU 104', 'CAR', false, false),
    ('00000000-0000-4000-8000-000000000204', NULL, 'BAD 1', 'VAN', false, true);

INSERT INTO facilities (id, owner_id, name, city, latitude, longitude) VALUES
    ('00000000-0000-4000-8000-000000000300', '00000000-0000-4000-8000-000000000101',
        'North', 'Oslo', 59.9, 10.7);
INSERT INTO zones (id, facility_id, name, code) VALUES
    ('00000000-0000-4000-8000-000000000301', '00000000-0000-4000-8000-000000000300', 'A', 'a'),
    ('00000000-0000-4000-8000-000000000302', '00000000-0000-4000-8000-000000000300', 'B', 'b');
INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency, policy, late_minutes_max)
VALUES ('00000000-0000-4000-8000-000000000300', 'north', 'Europe/Oslo', 'NOK',
    '{"backout_seconds_max": 20.0, "passage_seconds_max": 30.0, "unpaid_exit": "wait"}', 60);
INSERT INTO gate.zone_settings (zone_id, fill_policy) VALUES
    ('00000000-0000-4000-8000-000000000301', 'nearest');
INSERT INTO gate.penalties (facility_id, violation_type, amount) VALUES
    ('00000000-0000-4000-8000-000000000300', 'overstay', 400),
    ('00000000-0000-4000-8000-000000000300', 'no_payment', 250);
INSERT INTO gate.calendar_days (facility_id, day, kind, name) VALUES
    ('00000000-0000-4000-8000-000000000300', '2026-05-17', 'holiday', 'Constitution Day');
INSERT INTO facility_staff (facility_id, staff_member, permissions) VALUES
    ('00000000-0000-4000-8000-000000000300', '00000000-0000-4000-8000-000000000102', '{park}');

-- Spots A-1 to A-9 and B-1 to B-3, of which one has gone.
INSERT INTO parking_spots (id, zone_id, spot_number, size, has_ev_charger, is_accessible, is_active)
SELECT ('00000000-0000-4000-8000-0000000004' || lpad(n::text, 2, '0'))::uuid,
    CASE WHEN n < 10 THEN '00000000-0000-4000-8000-000000000301'::uuid
        ELSE '00000000-0000-4000-8000-000000000302' END,
    CASE WHEN n < 10 THEN 'A-' || n ELSE 'B-' || n - 9 END,
    CASE n WHEN 1 THEN 'COMPACT' WHEN 9 THEN 'LARGE' ELSE 'STANDARD' END::spot_size,
    n = 2, n = 11, n <> 12
FROM generate_series(1, 12) n;

INSERT INTO gate.lanes (id, facility_id, slug, direction, policy) VALUES
    ('00000000-0000-4000-8000-000000000501', '00000000-0000-4000-8000-000000000300',
        'in', 'entry', '{"read_confidence_min": 0.8}'),
    ('00000000-0000-4000-8000-000000000502', '00000000-0000-4000-8000-000000000300',
        'out', 'exit', '{}');
INSERT INTO gate.lane_zones (lane_id, zone_id, position) VALUES
    ('00000000-0000-4000-8000-000000000501', '00000000-0000-4000-8000-000000000301', 0),
    ('00000000-0000-4000-8000-000000000501', '00000000-0000-4000-8000-000000000302', 1);
INSERT INTO gate.spot_distances (lane_id, spot_id, metres)
SELECT '00000000-0000-4000-8000-000000000501', id, 12.5 FROM parking_spots
WHERE spot_number LIKE 'A%';
INSERT INTO gate.devices (id, facility_id, lane_id, slug, family, topic, options) VALUES
    ('00000000-0000-4000-8000-000000000511', '00000000-0000-4000-8000-000000000300',
        '00000000-0000-4000-8000-000000000501', 'in', 'native', '', '{}'),
    ('00000000-0000-4000-8000-000000000512', '00000000-0000-4000-8000-000000000300',
        '00000000-0000-4000-8000-000000000502', 'out-relay', 'shelly', 'shelly-1',
        '{"inputs": {"closing": 1, "presence": 0}}');
INSERT INTO gate.leases (facility_id, holder, fence, expires_at) VALUES
    ('00000000-0000-4000-8000-000000000300', 'daemon-1', 17, now() - interval '1 second');

-- A version that was followed by another one while stays were open.
INSERT INTO pricing_rules (id, facility_id, name, strategy, config, valid_from, valid_until) VALUES
    ('00000000-0000-4000-8000-000000000601', '00000000-0000-4000-8000-000000000300', 'by the hour',
        'BLOCK', '{"steps": [{"minutes": 60, "price": "20"}], "limit_reading": "inclusive",
            "zero_stay": "free", "new_day": "continue", "second_visit": "separate"}',
        '2020-01-01T00:00Z', now() - interval '30 minutes'),
    ('00000000-0000-4000-8000-000000000602', '00000000-0000-4000-8000-000000000300', 'by the hour',
        'BLOCK', '{"steps": [{"minutes": 60, "price": "25"}], "limit_reading": "inclusive",
            "zero_stay": "free", "new_day": "continue", "second_visit": "separate"}',
        now() - interval '30 minutes', NULL);
INSERT INTO subscriptions (id, facility_id, name, price, duration_days, entry_count) VALUES
    ('00000000-0000-4000-8000-000000000611', '00000000-0000-4000-8000-000000000300',
        'Ten entries', 900, 30, 10);
INSERT INTO user_subscriptions (
    id, user_id, subscription_id, activated_at, expires_at, entries_remaining)
VALUES ('00000000-0000-4000-8000-000000000612', '00000000-0000-4000-8000-000000000103',
    '00000000-0000-4000-8000-000000000611', now() - interval '5 days', now() + interval '25 days', 8);

-- ── stays and reservations ─────────────────────────────────────────────────────────────────

-- Inside: a stranger; a subscription; staff; one who had reserved and whom the booking names by the
-- vehicle alone; one without a plate; one since last month, on a spot that went out of service; and
-- one of the web shop's, which names no spot.
INSERT INTO bookings (
    id, ticket_number, user_id, vehicle_id, spot_id, facility_id, booking_type, status, entry_time,
    expected_exit, plate_number, plate_raw, entry_lane_id, entry_known, entitlement,
    user_subscription_id, reserved_from, reserved_until, price_context)
SELECT ('00000000-0000-4000-8000-0000000007' || n)::uuid, ticket, users.id, vehicles.id, spots.id,
    '00000000-0000-4000-8000-000000000300', type::booking_type, 'ACTIVE',
    now() - since::interval, now() - since::interval + interval '4 hours', plate, plate_raw,
    '00000000-0000-4000-8000-000000000501', known, covers,
    CASE covers WHEN 'subscription' THEN '00000000-0000-4000-8000-000000000612'::uuid END,
    CASE covers WHEN 'reservation' THEN now() - since::interval END,
    CASE covers WHEN 'reservation' THEN now() - since::interval + interval '4 hours' END,
    context::jsonb
FROM (VALUES
    ('01', 'T01', NULL, NULL, 'A-1', 'WALK_IN', '90 minutes', 'AAA111', 'AAA 111', 'measured', NULL,
        '{"occupancy_percent": 10}'),
    ('02', 'T02', 'member', 'ME103', 'A-2', 'SUBSCRIPTION', '2 hours', 'ME103', 'ME103', 'reported',
        'subscription', '{}'),
    ('03', 'T03', 'staff', 'ST102', 'A-3', 'WALK_IN', '5 hours', 'ST102', 'ST102', 'assumed',
        'staff', '{}'),
    ('04', 'T04', 'guest', 'GU104', 'A-4', 'RESERVATION', '20 minutes', NULL, NULL, 'measured',
        'reservation', '{}'),
    ('05', 'T05', NULL, NULL, 'A-5', 'WALK_IN', '40 minutes', NULL, NULL, NULL, NULL, '{}'),
    ('06', 'T06', NULL, NULL, 'A-6', 'WALK_IN', '479 hours', 'OLD666', 'OLD666', 'measured', NULL,
        '{}'),
    ('07', 'T07', NULL, NULL, NULL, 'WALK_IN', '3 hours', 'WEB777', NULL, NULL, NULL, '{}')
) AS stay (n, ticket, who, vehicle, spot, type, since, plate, plate_raw, known, covers, context)
LEFT JOIN users ON users.email = who || '@example.com'
LEFT JOIN vehicles ON vehicles.plate_normal = vehicle
LEFT JOIN parking_spots spots ON spots.spot_number = spot;
UPDATE parking_spots SET status = 'MAINTENANCE' WHERE spot_number IN ('A-6', 'B-2');

-- Expected: now, on a spot that is held; in a hundred days, by the vehicle alone; nobody knows who.
INSERT INTO bookings (
    id, ticket_number, user_id, vehicle_id, spot_id, facility_id, booking_type, status, entry_time,
    expected_exit, plate_number, reserved_from, reserved_until, size_needed, estimated_price, currency)
SELECT ('00000000-0000-4000-8000-0000000007' || n)::uuid, ticket,
    vehicles.user_id, vehicles.id, spots.id, '00000000-0000-4000-8000-000000000300', 'RESERVATION',
    'CONFIRMED', now() + after::interval, now() + after::interval + interval '3 hours', plate,
    now() + after::interval, now() + after::interval + interval '3 hours', 'COMPACT', 60, 'NOK'
FROM (VALUES
    ('11', 'T11', NULL, 'A-7', '10 minutes', 'NEW111'),
    ('12', 'T12', 'ME103', 'A-2', '100 days', NULL),
    ('13', 'T13', NULL, 'A-7', '2 days', NULL)
) AS reservation (n, ticket, vehicle, spot, after, plate)
LEFT JOIN vehicles ON vehicles.plate_normal = vehicle
JOIN parking_spots spots ON spots.spot_number = spot;
UPDATE parking_spots SET status = 'RESERVED',
    current_booking = '00000000-0000-4000-8000-000000000711' WHERE spot_number = 'A-7';

-- Ended: paid and given back in part; in debt, last month; covered; found by a look-alike character.
-- Given up: by the guest, by nobody's coming, before there was a spot.
INSERT INTO bookings (
    id, ticket_number, spot_id, facility_id, status, entry_time, actual_exit, final_price, currency,
    plate_number, pricing_rule_id, price_lines, entry_lane_id, exit_lane_id, entry_known, exit_known,
    cancel_reason, exit_match, paid_at, grace_until)
SELECT ('00000000-0000-4000-8000-0000000007' || n)::uuid, ticket, spots.id,
    '00000000-0000-4000-8000-000000000300', state::booking_status, now() - since::interval,
    CASE state WHEN 'COMPLETED' THEN now() - since::interval + interval '2 hours' END,
    price, CASE WHEN price IS NOT NULL THEN 'NOK' END, plate,
    CASE WHEN price > 0 THEN '00000000-0000-4000-8000-000000000601'::uuid END,
    lines::jsonb, '00000000-0000-4000-8000-000000000501',
    CASE state WHEN 'COMPLETED' THEN '00000000-0000-4000-8000-000000000502'::uuid END, 'measured',
    CASE state WHEN 'COMPLETED' THEN 'measured' END, cancelled, match::jsonb,
    CASE ticket WHEN 'T21' THEN now() - interval '22 hours' END,
    CASE ticket WHEN 'T21' THEN now() - interval '22 hours' + interval '15 minutes' END
FROM (VALUES
    ('21', 'T21', 'COMPLETED', '1 day', 40, 'PAY121', '[{"kind": "block", "amount": "40"}]', NULL,
        NULL),
    ('22', 'T22', 'COMPLETED', '25 days', 40.0, 'DEB122', '[{"kind": "block", "amount": "40"}]', NULL,
        NULL),
    ('23', 'T23', 'COMPLETED', '3 days', 0, 'ME103', '[]', NULL, NULL),
    ('24', 'T24', 'COMPLETED', '4 days', 0, 'LO0K24', '[]', NULL, '{"read": "LOOK24"}'),
    ('31', 'T31', 'CANCELLED', '2 days', NULL, 'CAN131', NULL, 'plans changed', NULL),
    ('32', 'T32', 'NO_SHOW', '6 days', NULL, 'NOS132', NULL, NULL, NULL),
    ('33', 'T33', 'PENDING', '1 hour', NULL, 'PEN133', NULL, NULL, NULL)
) AS ended (n, ticket, state, since, price, plate, lines, cancelled, match)
LEFT JOIN parking_spots spots ON spots.spot_number = 'A-8' AND state <> 'PENDING';
UPDATE bookings SET entitlement = 'subscription', booking_type = 'SUBSCRIPTION',
    user_subscription_id = '00000000-0000-4000-8000-000000000612'
WHERE ticket_number = 'T23';

-- ── money ──────────────────────────────────────────────────────────────────────────────────

INSERT INTO payments (
    id, amount, currency, provider, status, provider_txn_id, booking_id, refunded, created_at)
SELECT ('00000000-0000-4000-8000-0000000008' || n)::uuid, amount, 'NOK',
    provider::payment_provider, status::payment_status, txn,
    ('00000000-0000-4000-8000-0000000007' || stay)::uuid, refunded, now() - since::interval
FROM (VALUES
    ('01', 20, 'CARD', 'COMPLETED', 'txn-1', '01', 0, '10 minutes'),
    ('02', 40, 'STRIPE', 'COMPLETED', 'txn-2', '21', 12.5, '22 hours'),
    ('03', 10, 'CASH', 'COMPLETED', NULL, '22', 0, '25 days'),
    ('04', 60, 'PAYPAL', 'REFUNDED', 'txn-4', '31', 60, '3 days'),
    ('05', 60, 'ACCOUNT', 'PENDING', NULL, '11', 0, '1 day'),
    ('06', 60, 'OTHER', 'FAILED', 'txn-6', NULL, 0, '1 day')
) AS payment (n, amount, provider, status, txn, stay, refunded, since);
INSERT INTO gate.refunds (id, payment_id, amount, provider_txn_id, reason, refunded_at) VALUES
    ('00000000-0000-4000-8000-000000000812', '00000000-0000-4000-8000-000000000802', 12.5, 're-2',
        'the lift stood still', now() - interval '20 hours'),
    ('00000000-0000-4000-8000-000000000814', '00000000-0000-4000-8000-000000000804', 60, NULL,
        'cancelled', now() - interval '2 days');
INSERT INTO violations (
    vehicle_id, facility_id, booking_id, violation_type, penalty_amount, status, violation_time,
    plate_number, currency, evidence)
VALUES
    (NULL, '00000000-0000-4000-8000-000000000300', '00000000-0000-4000-8000-000000000706',
        'overstay', 400, 'OPEN', now() - interval '1 day', 'OLD666', 'NOK', '{"note": "dusty"}'),
    ('00000000-0000-4000-8000-000000000204', '00000000-0000-4000-8000-000000000300', NULL,
        'blocked_plate', 0, 'PAID', now() - interval '9 days', 'BAD1', NULL, '{}');

-- ── the books of the daemon ────────────────────────────────────────────────────────────────

INSERT INTO gate.events (
    id, facility_id, device_id, lane_id, event_key, kind, topic, payload, status, outcome, error,
    device_at, received_at, settled_at)
SELECT ('00000000-0000-4000-8000-0000000009' || n)::uuid, '00000000-0000-4000-8000-000000000300',
    '00000000-0000-4000-8000-000000000511', '00000000-0000-4000-8000-000000000501', 'in/' || n, kind,
    'gated/v1/north/in/' || kind, convert_to(payload, 'UTF8'), status, outcome, error,
    now() - since::interval, now() - since::interval,
    CASE WHEN outcome IS NOT NULL THEN now() - since::interval END
FROM (VALUES
    ('01', 'plate', '{"plate": "AAA111"}', 'done', 'decided', NULL, '90 minutes'),
    ('02', 'plate', '{"plate": "BAD1"}', 'done', 'decided', NULL, '80 minutes'),
    ('03', 'plate', '{"plate": "FULL1"}', 'done', 'decided', NULL, '70 minutes'),
    ('04', 'presence', '{"on": true}', 'done', 'noted', NULL, '90 minutes'),
    ('05', 'plate', '{"plate": "AAA11', 'quarantined', NULL, 'not JSON', '1 hour'),
    ('06', 'plate', '{"plate": "LATE1"}', 'dropped', NULL, 'too old', '1 hour'),
    ('11', 'plate', '{"plate": "WAIT11"}', 'new', NULL, NULL, '2 seconds'),
    ('12', 'presence', '{"on": true}', 'new', NULL, NULL, '1 second')
) AS event (n, kind, payload, status, outcome, error, since);
INSERT INTO gate.event_keys (facility_id, event_key, event_id, received_at)
SELECT facility_id, event_key, id, received_at FROM gate.events;
INSERT INTO gate.decisions (
    id, facility_id, lane_id, event_id, decision, reason, plate, plate_raw, confidence, stay_id,
    zone_id, spot_id, command_id, received_at, decided_at)
SELECT e.id, e.facility_id, e.lane_id, e.id, decision, reason, plate, plate, 0.9, b.id, s.zone_id,
    s.id, e.id, e.received_at, e.received_at
FROM (VALUES
    ('in/01', 'grant', 'transient', 'AAA111', 'T01'), ('in/02', 'deny', 'blocked', 'BAD1', NULL),
    ('in/03', 'deny', 'full', 'FULL1', NULL)
) AS made (event, decision, reason, plate, ticket)
JOIN gate.events e ON e.event_key = event
LEFT JOIN bookings b ON b.ticket_number = ticket
LEFT JOIN parking_spots s ON s.id = b.spot_id;
-- A command in each state, of which some wait for a barrier that is away.
INSERT INTO gate.commands (
    id, facility_id, lane_id, device_id, event_id, do_what, reason, plate, stay_id, fence, status,
    issued_at, expires_at, dispatched_at, acknowledged_at, confirmed_at, ended_at, error)
SELECT ('00000000-0000-4000-8000-0000000009' || n)::uuid, '00000000-0000-4000-8000-000000000300',
    '00000000-0000-4000-8000-000000000501', '00000000-0000-4000-8000-000000000511',
    ('00000000-0000-4000-8000-0000000009' || n)::uuid, do_what, reason, plate,
    CASE plate WHEN 'AAA111' THEN '00000000-0000-4000-8000-000000000701'::uuid END, 17, status,
    now() - interval '1 minute', now() + interval '1 hour',
    CASE WHEN status IN ('dispatched', 'acknowledged', 'confirmed', 'unknown') THEN now() END,
    CASE WHEN status IN ('acknowledged', 'confirmed') THEN now() END,
    CASE WHEN status = 'confirmed' THEN now() END,
    CASE WHEN status IN ('expired', 'failed', 'unknown', 'cancelled') THEN now() END,
    CASE WHEN status IN ('expired', 'failed', 'unknown', 'cancelled') THEN 'no answer' END
FROM (VALUES
    ('01', 'open', 'transient', 'AAA111', 'confirmed'), ('02', 'deny', 'blocked', 'BAD1', 'expired'),
    ('03', 'deny', 'full', 'FULL1', 'acknowledged'), ('21', 'open', 'transient', 'X1', 'failed'),
    ('22', 'open', 'transient', 'X2', 'unknown'), ('23', 'close', 'timeout', NULL, 'cancelled'),
    ('24', 'open', 'stay_open', 'X4', 'dispatched'), ('25', 'open', 'transient', 'X5', 'accepted'),
    ('26', 'open', 'registered', 'X6', 'accepted')
) AS command (n, do_what, reason, plate, status);
INSERT INTO audit_logs (user_id, action, resource_type, resource_id, facility_id, actor, details)
VALUES
    (NULL, 'stay.admitted', 'booking', '00000000-0000-4000-8000-000000000701',
        '00000000-0000-4000-8000-000000000300', 'gated', '{"spot_number": "A-1"}'),
    ('00000000-0000-4000-8000-000000000104', 'booking.cancelled', 'booking',
        '00000000-0000-4000-8000-000000000731', '00000000-0000-4000-8000-000000000300', 'web', '{}');
INSERT INTO gate.reconciliations (facility_id, kind, details, resolved_at, resolved_by) VALUES
    ('00000000-0000-4000-8000-000000000300', 'payment_refused', '{"amount": "30"}', NULL, NULL),
    ('00000000-0000-4000-8000-000000000300', 'available_spots', '{}', now(),
        '00000000-0000-4000-8000-000000000102');

-- What one spot changed has not been counted yet: its zone was locked just then.
UPDATE zones SET available_spots = available_spots + 1 WHERE code = 'b';
UPDATE facilities SET available_spots = available_spots + 1;
INSERT INTO gate.spot_changes (facility_id, zone_id, total, available) VALUES
    ('00000000-0000-4000-8000-000000000300', '00000000-0000-4000-8000-000000000302', 0, -1);
