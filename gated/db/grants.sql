-- Who may do what. Applied after the functions at each upgrade, so it states everything anew.
--
-- gated_daemon   logs in, decides and writes; owns nothing and changes no schema
-- gated_reader   reads everything but contact data; for reports, given to people and tools
--
-- Partitions need no grants of their own: rights on the parent count when the parent is named.

-- Roles belong to the cluster, and a second database may be upgraded at this very moment: what
-- another session has just made is looked at again, and what already fits is left alone, so that
-- an owner without CREATEROLE can upgrade once the roles exist.
DO $$
DECLARE
    setting record;
BEGIN
    FOR attempt IN 1..20 LOOP
        BEGIN
            IF to_regrole('gated_daemon') IS NULL THEN
                CREATE ROLE gated_daemon LOGIN;
            END IF;
            IF to_regrole('gated_reader') IS NULL THEN
                CREATE ROLE gated_reader NOLOGIN;
            END IF;
            -- Here and not in SET: behind a pooler a session's settings reach other clients.
            FOR setting IN
                SELECT name, value
                FROM (VALUES
                    ('statement_timeout', '5s'),
                    ('lock_timeout', '2s'),
                    ('idle_in_transaction_session_timeout', '1s')
                ) AS wanted (name, value)
                WHERE NOT EXISTS (
                    SELECT FROM pg_catalog.pg_db_role_setting
                    WHERE setrole = to_regrole('gated_daemon') AND setdatabase = 0
                        AND name || '=' || value = ANY (setconfig)
                )
            LOOP
                EXECUTE format('ALTER ROLE gated_daemon SET %I = %L', setting.name, setting.value);
            END LOOP;
            EXIT;
        EXCEPTION
            WHEN duplicate_object OR unique_violation OR internal_error THEN
                -- XX000, "tuple concurrently updated", is how ALTER ROLE loses such a race.
                IF attempt = 20 THEN
                    RAISE;
                END IF;
        END;
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA gate FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA gate FROM PUBLIC, gated_daemon, gated_reader;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA gate FROM PUBLIC, gated_daemon, gated_reader;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA gate FROM PUBLIC, gated_daemon, gated_reader;

-- What the tables themselves call, as generated column and as default, runs with the rights of
-- whoever writes a row: the web shop too.
GRANT EXECUTE ON FUNCTION
    gate.plate_normal_v1(text), gate.ticket_number_v1(),
    gate.tariff_faults_v1(public.pricing_strategy, jsonb, integer), gate.is_amount_v1(jsonb),
    gate.is_percent_v1(jsonb), gate.is_clock_v1(jsonb), gate.is_count_v1(jsonb),
    gate.is_list_v1(jsonb)
    TO PUBLIC;

-- ── gated_daemon ───────────────────────────────────────────────────────────────────────────

GRANT USAGE ON SCHEMA public, gate TO gated_daemon;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA gate TO gated_daemon;

REVOKE ALL ON
    users, vehicles, facilities, zones, parking_spots, bookings, pricing_rules, payments,
    subscriptions, user_subscriptions, violations, facility_staff, audit_logs
FROM PUBLIC, gated_daemon;
-- Not the users' e-mail addresses and telephone numbers: no decision needs them.
GRANT SELECT (id, role, is_verified, is_active) ON users TO gated_daemon;
GRANT SELECT ON
    vehicles, facilities, zones, parking_spots, bookings, pricing_rules, payments,
    subscriptions, user_subscriptions, violations, facility_staff, audit_logs
TO gated_daemon;
-- What follows bookings and spots (claims, the state of a spot, counters) is written by triggers
-- with the owner's rights. This one is for locking the row of a spot.
GRANT UPDATE (status, current_booking) ON parking_spots TO gated_daemon;
GRANT INSERT, UPDATE ON bookings, payments, violations TO gated_daemon;
GRANT UPDATE (entries_remaining) ON user_subscriptions TO gated_daemon;
GRANT INSERT ON audit_logs TO gated_daemon;

GRANT SELECT ON
    gate.migrations, gate.currencies, gate.facility_settings, gate.zone_settings, gate.penalties,
    gate.calendar_days,
    gate.lanes, gate.lane_zones, gate.spot_distances, gate.devices, gate.tickets, gate.claims,
    gate.spot_changes, gate.debts, gate.zone_limits
TO gated_daemon;
GRANT SELECT, INSERT, UPDATE ON
    gate.leases, gate.events, gate.commands, gate.reconciliations, gate.lane_modes,
    gate.facility_modes, gate.evacuations, gate.zone_counts, gate.spot_states
TO gated_daemon;
GRANT SELECT, INSERT ON gate.decisions, gate.refunds, gate.waivers TO gated_daemon;
GRANT SELECT, INSERT, UPDATE, DELETE ON gate.event_keys, gate.free_passages,
    gate.stay_segments
TO gated_daemon;
GRANT SELECT, INSERT, DELETE ON gate.lane_notes TO gated_daemon;
GRANT UPDATE (passback_reset_at) ON gate.facility_settings TO gated_daemon;

-- ── gated_reader ───────────────────────────────────────────────────────────────────────────

REVOKE ALL ON
    users, vehicles, facilities, zones, parking_spots, bookings, pricing_rules, payments,
    subscriptions, user_subscriptions, violations, facility_staff, audit_logs
FROM gated_reader;
GRANT USAGE ON SCHEMA public, gate TO gated_reader;
GRANT SELECT (id, role, is_verified, is_active, created_at) ON users TO gated_reader;
GRANT SELECT ON
    vehicles, facilities, zones, parking_spots, bookings, pricing_rules, payments,
    subscriptions, user_subscriptions, violations, facility_staff, audit_logs
TO gated_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA gate TO gated_reader;
