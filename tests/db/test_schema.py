"""The data model holds all that the platform's overview lists, explains itself, and refuses what
one row can get wrong by itself.

What the overview lists is restated here in a form of its own and held against the catalogue of a
fresh database.
"""

import asyncpg
import pytest

from gated.core.money import EXPONENTS
from gated.db.migrate import PLATFORM_TABLES
from tests.db.place import Connection, Place

# table: its columns; `column>table` is a relation.
OVERVIEW = {
    "users": "id email role phone is_verified",
    "vehicles": "id user_id>users plate_number vehicle_type is_verified is_active",
    "facilities": "id owner_id>users name city latitude longitude total_spots available_spots"
    " is_active",
    "zones": "id facility_id>facilities name code total_spots available_spots",
    "parking_spots": "id zone_id>zones spot_number size status has_ev_charger is_accessible"
    " current_booking is_active",
    "bookings": "id user_id>users vehicle_id>vehicles spot_id>parking_spots"
    " facility_id>facilities ticket_number booking_type status entry_time expected_exit"
    " actual_exit estimated_price final_price payment_id>payments",
    "pricing_rules": "id facility_id>facilities strategy config priority free_minutes",
    "payments": "id user_id>users amount provider status provider_txn_id",
    "subscriptions": "id facility_id>facilities name price duration_days entry_count",
    "user_subscriptions": "id user_id>users subscription_id>subscriptions activated_at expires_at"
    " entries_remaining",
    "violations": "id user_id>users vehicle_id>vehicles facility_id>facilities booking_id"
    " violation_type penalty_amount status violation_time",
    "facility_staff": "id facility_id>facilities staff_member>users permissions",
    "audit_logs": "id user_id>users action resource_type timestamp",
}
ENUMS = {
    "users.role",
    "parking_spots.size",
    "parking_spots.status",
    "bookings.status",
    "pricing_rules.strategy",
    "payments.provider",
    "payments.status",
    "violations.status",
}
# Relations that a foreign key cannot hold on the partitioned, archived bookings, and what does.
REFERENCES_KEPT = {
    # While it stands there, the booking is in the directory: a foreign key to gate.tickets.
    "parking_spots.current_booking": "parking_spots_current_booking_fkey",
    # These outlive the booking by years: asked for when written, not afterwards.
    "payments.booking_id": "payments_booking_insert",
    "violations.booking_id": "violations_booking_insert",
}
INDEXES = {
    "idx_bookings_facility_status": "bookings (facility_id, status, entry_time)",
    "idx_bookings_user_status": "bookings (user_id, status)",
    "idx_spots_status_size": "parking_spots (status, size, is_active) WHERE (is_active = true)",
    "idx_vehicles_plate": "vehicles (plate_number, is_active) WHERE (is_active = true)",
    "idx_facilities_city": "facilities (city, is_active) WHERE (is_active = true)",
    "idx_audit_logs_recent": 'audit_logs ("timestamp" DESC)',
    "idx_spots_locking": "parking_spots (id, status, is_active) WHERE (is_active = true)",
    "idx_bookings_overlap": "bookings (spot_id, status, entry_time, expected_exit)"
    " WHERE (status = ANY (ARRAY['CONFIRMED'::booking_status, 'ACTIVE'::booking_status]))",
}
# The fields that the overview marks as indexed.
INDEXED = {
    "vehicles.plate_number",
    "facilities.city",
    "parking_spots.status",
    "bookings.ticket_number",
    "bookings.status",
    "bookings.entry_time",
    "payments.status",
    "payments.provider_txn_id",
    "audit_logs.timestamp",
}


@pytest.mark.every_postgres
async def test_every_table_and_column_of_the_overview_is_there(owner: Connection) -> None:
    assert set(OVERVIEW) == set(PLATFORM_TABLES)
    rows = await owner.fetch(
        "SELECT c.relname AS table_name, a.attname AS column_name FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    )
    there = {f"{row['table_name']}.{row['column_name']}" for row in rows}
    listed = {
        f"{table}.{word.partition('>')[0]}"
        for table, words in OVERVIEW.items()
        for word in words.split()
    }
    assert listed - there == set()


async def test_ids_are_uuids_and_enums_are_enums(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT c.relname || '.' || a.attname AS name, t.typname, t.typtype::text FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " JOIN pg_type t ON t.oid = a.atttypid WHERE c.relnamespace = 'public'::regnamespace"
    )
    types = {row["name"]: row for row in rows}
    assert all(types[f"{table}.id"]["typname"] == "uuid" for table in OVERVIEW)
    assert {name for name in ENUMS if types[name]["typtype"] != "e"} == set()


@pytest.mark.every_postgres
async def test_every_relation_of_the_overview_is_a_foreign_key(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT k.conrelid::regclass::text AS source, a.attname AS column_name,"
        " k.confrelid::regclass::text AS target, k.convalidated FROM pg_constraint k"
        " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND cardinality(k.conkey) = 1"
    )
    there = {f"{row['source']}.{row['column_name']}>{row['target']}" for row in rows}
    listed = {
        f"{table}.{word}" for table, words in OVERVIEW.items() for word in words.split()
        if ">" in word
    }  # fmt: skip
    assert len(listed) == 20
    assert listed - there == set()
    assert all(row["convalidated"] for row in rows)


@pytest.mark.every_postgres
async def test_what_keeps_the_other_relations_is_there(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT conrelid::regclass || '.' || conname AS name FROM pg_constraint"
        " UNION ALL SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger"
    )
    names = {row["name"] for row in rows}
    for reference, keeper in REFERENCES_KEPT.items():
        assert f"{reference.partition('.')[0]}.{keeper}" in names


@pytest.mark.every_postgres
async def test_every_index_of_the_overview_is_there_as_written(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT i.indexrelid::regclass::text AS name,"
        " regexp_replace(pg_get_indexdef(i.indexrelid),"
        " '^CREATE INDEX \\S+ ON (ONLY )?public\\.(\\S+) USING btree', '\\2') AS definition,"
        " i.indisvalid FROM pg_index i WHERE i.indexrelid::regclass::text = ANY ($1::text[])",
        list(INDEXES),
    )
    assert {row["name"]: row["definition"] for row in rows} == INDEXES
    assert all(row["indisvalid"] for row in rows)


async def test_every_field_marked_as_indexed_is(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT i.indrelid::regclass || '.' || a.attname AS name FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
    )
    assert {row["name"] for row in rows} >= INDEXED


@pytest.mark.every_postgres
async def test_every_table_column_and_enum_of_ours_is_described(owner: Connection) -> None:
    rows = await owner.fetch(
        """
        WITH ours AS (
            SELECT c.oid FROM pg_class c
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                AND c.relnamespace IN ('public'::regnamespace, 'gate'::regnamespace)
        )
        SELECT oid::regclass::text AS name, obj_description(oid, 'pg_class') AS description
        FROM ours
        UNION ALL
        SELECT oid::regclass || '.' || a.attname, col_description(oid, a.attnum)
        FROM ours JOIN pg_attribute a ON a.attrelid = oid
        WHERE a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT oid::regtype::text, obj_description(oid, 'pg_type') FROM pg_type
        WHERE typtype = 'e'
            AND typnamespace IN ('public'::regnamespace, 'gate'::regnamespace)
        """
    )
    described = {row["name"]: row["description"] for row in rows}
    assert {"gate.spot_changes", "bookings.grace_until", "spot_status"} <= set(described)
    assert {name for name, text in described.items() if not text} == set()


async def test_the_currencies_are_those_of_the_core(owner: Connection) -> None:
    rows = await owner.fetch("SELECT code, exponent FROM gate.currencies")
    assert {row["code"]: row["exponent"] for row in rows} == EXPONENTS


# One row of each table, with nothing wrong, beside the facility, zone and spot of `place`.
SOUND = """
INSERT INTO users (email) VALUES ('a@example.com');
INSERT INTO vehicles (plate_number) VALUES ('AB 12');
INSERT INTO pricing_rules (facility_id, name, strategy, config, free_minutes, valid_until)
    SELECT id, 'Day', 'FLAT', '{"amount": "5", "free_minutes_reading": "deducted",
            "free_minutes_limit": "inclusive", "zero_stay": "free",
            "second_visit": "separate"}', 10,
        now() + interval '1 year' FROM facilities;
INSERT INTO subscriptions (facility_id, name, price, duration_days, entry_count)
    SELECT id, 'Month', 50, 30, 20 FROM facilities;
INSERT INTO user_subscriptions (user_id, subscription_id, expires_at, entries_remaining)
    SELECT u.id, s.id, now() + interval '30 days', 20 FROM users u, subscriptions s;
INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency)
    SELECT id, 'north', 'Europe/Oslo', 'NOK' FROM facilities;
INSERT INTO gate.zone_settings (zone_id) SELECT id FROM zones;
INSERT INTO gate.zone_limits (facility_id, position, parker_group, stays_max, begins, ends)
    SELECT id, 1, 'transient', 10, '07:00', '17:00' FROM facilities;
INSERT INTO gate.penalties (facility_id, violation_type, amount)
    SELECT id, 'overstay', 40 FROM facilities;
INSERT INTO gate.zone_counts (zone_id, facility_id, occupied, counted_at, event_id)
    SELECT id, facility_id, 3, now(), gen_random_uuid() FROM zones;
INSERT INTO gate.spot_states (
        spot_id, facility_id, occupied, plate, since, heard_at, told_at, event_id)
    SELECT s.id, z.facility_id, true, 'AB12', now(), now(), now(), gen_random_uuid()
    FROM parking_spots s JOIN zones z ON z.id = s.zone_id;
INSERT INTO gate.calendar_days (facility_id, day, kind)
    SELECT id, '2026-12-25', 'holiday' FROM facilities;
INSERT INTO gate.lanes (facility_id, slug, direction) SELECT id, 'in', 'entry' FROM facilities;
INSERT INTO gate.lane_zones (lane_id, zone_id, position)
    SELECT l.id, z.id, 1 FROM gate.lanes l, zones z;
INSERT INTO gate.spot_distances (lane_id, spot_id, metres)
    SELECT l.id, s.id, 12.5 FROM gate.lanes l, parking_spots s;
INSERT INTO gate.devices (facility_id, lane_id, slug, family)
    SELECT facility_id, id, 'barrier', 'native' FROM gate.lanes;
INSERT INTO bookings (
        facility_id, spot_id, status, entry_time, expected_exit, actual_exit, estimated_price,
        final_price, currency, plate_number, reserved_from, reserved_until, paid_at, grace_until)
    SELECT f.id, s.id, 'COMPLETED', now(), now() + interval '1 hour', now() + interval '1 hour',
        5, 5, 'NOK', 'AB12', now(), now() + interval '1 hour', now(), now() + interval '15 minutes'
    FROM facilities f, parking_spots s;
INSERT INTO gate.claims (booking_id, facility_id, zone_id, spot_id, entry_time, kind, during)
    SELECT b.id, z.facility_id, z.id, s.id, now(), 'reservation', tstzrange(now(), NULL)
    FROM bookings b, parking_spots s JOIN zones z ON z.id = s.zone_id;
INSERT INTO gate.stay_segments (booking_id, position, zone_id, begins_at, ends_at)
    SELECT b.id, 1, z.id, now(), now() FROM bookings b, zones z;
INSERT INTO payments (amount, currency, provider, status, provider_txn_id, refunded)
    VALUES (5, 'NOK', 'CARD', 'COMPLETED', 'txn-1', 2);
INSERT INTO gate.refunds (id, payment_id, amount, provider_txn_id, reason, refunded_at)
    SELECT gen_random_uuid(), id, 2, 'txn-2', 'goodwill', now() FROM payments;
INSERT INTO violations (facility_id, violation_type, penalty_amount, plate_number, currency)
    SELECT id, 'overstay', 40, 'AB12', 'NOK' FROM facilities;
INSERT INTO gate.events (
        id, facility_id, event_key, kind, topic, payload, status, received_at)
    SELECT gen_random_uuid(), id, '-/1', 'plate', 't', '', 'done', now() FROM facilities;
INSERT INTO gate.decisions (
        id, facility_id, lane_id, event_id, decision, reason, received_at)
    SELECT gen_random_uuid(), l.facility_id, l.id, e.id, 'deny', 'full_zone', now()
    FROM gate.lanes l, gate.events e;
INSERT INTO gate.commands (
        id, facility_id, lane_id, device_id, event_id, do_what, reason, fence, issued_at,
        expires_at)
    SELECT gen_random_uuid(), d.facility_id, d.lane_id, d.id, e.id, 'deny', 'full_zone', 1, now(),
        now() + interval '3 seconds'
    FROM gate.devices d, gate.events e;
INSERT INTO facility_staff (facility_id, staff_member, operator_name)
    SELECT f.id, u.id, 'ada' FROM facilities f, users u;
INSERT INTO gate.lane_modes (lane_id, facility_id, mode, since, reason, event_id)
    SELECT l.id, l.facility_id, 'held', now(), 'fair', e.id FROM gate.lanes l, gate.events e;
INSERT INTO gate.facility_modes (facility_id, mode, since, reason, event_id)
    SELECT f.id, 'evacuation', now(), 'fire', e.id FROM facilities f, gate.events e;
INSERT INTO gate.evacuations (facility_id, began_at) SELECT id, now() FROM facilities;
INSERT INTO gate.waivers (id, booking_id, amount, currency, reason, user_id, waived_at)
    SELECT gen_random_uuid(), b.id, 1, 'NOK', 'goodwill', u.id, now() FROM bookings b, users u;
INSERT INTO gate.reconciliations (facility_id, kind) SELECT id, 'exit_unmatched' FROM facilities;
INSERT INTO gate.free_passages (id, facility_id, lane_id, direction, kind, passed_at)
    SELECT gen_random_uuid(), facility_id, id, 'entry', 'held', now() FROM gate.lanes;
INSERT INTO gate.lane_notes (id, facility_id, lane_id, at, name)
    SELECT gen_random_uuid(), facility_id, id, now(), 'arm_stuck' FROM gate.lanes;
"""

# By what they are about: what is wrong, a statement that makes a sound row so, and the constraint
# that refuses it.
RULES = {
    "money": [
        ("an estimate below nothing",
         "UPDATE bookings SET estimated_price = -0.01", "bookings_estimated_price_check"),
        ("a price below nothing",
         "UPDATE bookings SET final_price = -0.01", "bookings_final_price_check"),
        ("a payment below nothing",
         "INSERT INTO payments (amount, currency, provider) VALUES (-0.01, 'NOK', 'CASH')",
         "payments_amount_check"),
        ("more given back than paid",
         "UPDATE payments SET refunded = 5.01", "payments_refunded_check"),
        ("less than nothing given back",
         "UPDATE payments SET refunded = -0.01", "payments_refunded_check"),
        ("REFUNDED, and not all given back",
         "UPDATE payments SET status = 'REFUNDED'", "payments_status_check"),
        ("given back from what was not paid yet",
         "UPDATE payments SET status = 'PENDING'", "payments_status_check"),
        ("given back from what was never paid",
         "UPDATE payments SET status = 'FAILED'", "payments_status_check"),
        ("a refund of nothing",
         "UPDATE gate.refunds SET amount = 0", "refunds_amount_check"),
        ("a waiver of nothing",
         "UPDATE gate.waivers SET amount = 0", "waivers_amount_check"),
        ("a subscription below nothing",
         "UPDATE subscriptions SET price = -1", "subscriptions_price_check"),
        ("a penalty below nothing",
         "UPDATE violations SET penalty_amount = -1", "violations_penalty_amount_check"),
        ("a listed penalty below nothing",
         "UPDATE gate.penalties SET amount = -1", "penalties_amount_check"),
        *(
            (f"{column} that is no number",
             f"UPDATE {column.rpartition('.')[0]} SET {column.rpartition('.')[2]} = 'NaN'",
             constraint)
            for column, constraint in {
                "bookings.estimated_price": "bookings_estimated_price_check",
                "bookings.final_price": "bookings_final_price_check",
                "payments.amount": "payments_amount_check",
                "gate.refunds.amount": "refunds_amount_check",
                "gate.waivers.amount": "waivers_amount_check",
                "subscriptions.price": "subscriptions_price_check",
                "violations.penalty_amount": "violations_penalty_amount_check",
                "gate.penalties.amount": "penalties_amount_check",
            }.items()
        ),
        *(
            (f"a tariff with {what}",
             ("INSERT INTO pricing_rules (facility_id, name, strategy, config, free_minutes)"
              f" SELECT facility_id, 'Other', {row} FROM pricing_rules"),
             f"pricing_rules_{check}_check")
            for what, row, check in (
                ("an amount that is no number",
                 """strategy, config || '{"amount": "NaN"}', 0""", "config"),
                ("an amount below nothing",
                 """strategy, config || '{"amount": "-1"}', 0""", "config"),
                ("an amount that is a float",
                 """strategy, config || '{"amount": 1.1}', 0""", "config"),
                ("no amount", "strategy, config - 'amount', 0", "config"),
                ("no steps", "'BLOCK', config, 0", "config"),
                ("two kinds of price",
                 """strategy, config || '{"steps": [{"minutes": 60, "price": "1"}],
                     "limit_reading": "inclusive", "new_day": "continue"}', 0""", "config"),
                ("a day's cap with the begin of a week",
                 """strategy, config || '{"caps": [{"per": "calendar_day", "amount": "1",
                     "reading": "each", "week_begins": "mon"}]}', 0""", "config"),
                ("a field that is none", """strategy, config || '{"amont": "5"}', 0""", "config"),
                ("no answer to what a stay of no length costs",
                 "strategy, config - 'zero_stay', 0", "config"),
                ("free minutes and nobody says how they are read",
                 "strategy, config - 'free_minutes_reading', 5", "config"),
                ("free minutes of a reading that is none",
                 """strategy, config || '{"free_minutes_reading": "often"}', 5""", "config"),
                ("free minutes below nothing", "strategy, config, -1", "free_minutes"),
                ("config that is no object", "strategy, '[]', 0", "config"),
            )
        ),
        ("a booking in a currency that is none",
         "UPDATE bookings SET currency = 'XXQ'", "bookings_currency_fkey"),
        ("a payment in a currency that is none",
         "UPDATE payments SET currency = 'XXQ'", "payments_currency_fkey"),
        ("a penalty in a currency that is none",
         "UPDATE violations SET currency = 'XXQ'", "violations_currency_fkey"),
        ("a waiver in a currency that is none",
         "UPDATE gate.waivers SET currency = 'XXQ'", "waivers_currency_fkey"),
        ("a facility with a currency that is none",
         "UPDATE gate.facility_settings SET currency = 'XXQ'", "facility_settings_currency_fkey"),
        ("a currency that is no code",
         "INSERT INTO gate.currencies (code, exponent) VALUES ('nok', 2)", "currencies_code_check"),
        ("a currency with too many decimals",
         "UPDATE gate.currencies SET exponent = 5", "currencies_exponent_check"),
    ],
    "time": [
        ("out before in",
         "UPDATE bookings SET actual_exit = entry_time - interval '1 second'",
         "bookings_exit_check"),
        ("completed, and never out",
         "UPDATE bookings SET actual_exit = NULL", "bookings_completed_check"),
        ("expected out before in",
         "UPDATE bookings SET expected_exit = entry_time - interval '1 second'",
         "bookings_expected_exit_check"),
        ("expected out as soon as in",
         "UPDATE bookings SET expected_exit = entry_time", "bookings_expected_exit_check"),
        ("a reserved period that ends before it begins",
         "UPDATE bookings SET reserved_until = reserved_from - interval '1 second'",
         "bookings_reserved_check"),
        ("a reserved period without end",
         "UPDATE bookings SET reserved_until = NULL", "bookings_reserved_check"),
        ("a reserved period without beginning",
         "UPDATE bookings SET reserved_from = NULL", "bookings_reserved_check"),
        ("a grace without payment",
         "UPDATE bookings SET paid_at = NULL", "bookings_grace_check"),
        ("a payment in full without grace",
         "UPDATE bookings SET grace_until = NULL", "bookings_grace_check"),
        ("a grace that ends before the payment",
         "UPDATE bookings SET grace_until = paid_at - interval '1 second'", "bookings_grace_check"),
        ("a claim on no time at all",
         "UPDATE gate.claims SET during = 'empty'", "claims_during_check"),
        ("a tariff that ends before it begins",
         ("INSERT INTO pricing_rules (facility_id, name, strategy, config, valid_until)"
          " SELECT facility_id, 'Other', strategy, config, now() - interval '1 second'"
          " FROM pricing_rules"),
         "pricing_rules_validity_check"),
        ("a tariff that is changed after it has begun",
         "UPDATE pricing_rules SET priority = 1", "pricing_rules_kept_check"),
        ("a tariff that is ended in the past",
         "UPDATE pricing_rules SET valid_until = now() - interval '1 second'",
         "pricing_rules_kept_check"),
        ("a tariff that is deleted after it has begun",
         "DELETE FROM pricing_rules", "pricing_rules_kept_check"),
        ("two versions of a tariff at once",
         ("INSERT INTO pricing_rules (facility_id, name, strategy, config, free_minutes)"
          " SELECT facility_id, name, strategy, config, 10 FROM pricing_rules"),
         "pricing_rules_version_excl"),
        ("a subscription that ends before it begins",
         "UPDATE user_subscriptions SET expires_at = activated_at - interval '1 second'",
         "user_subscriptions_validity_check"),
        ("a subscription of no length",
         "UPDATE subscriptions SET duration_days = 0", "subscriptions_duration_days_check"),
        ("a command that expires before it is issued",
         "UPDATE gate.commands SET expires_at = issued_at - interval '1 second'",
         "commands_expiry_check"),
        ("stays of no length expected",
         "UPDATE gate.facility_settings SET stay_minutes_expected = 0",
         "facility_settings_stay_minutes_expected_check"),
        ("early by less than nothing",
         "UPDATE gate.facility_settings SET early_minutes_max = -1",
         "facility_settings_early_minutes_max_check"),
        ("late by less than nothing",
         "UPDATE gate.facility_settings SET late_minutes_max = -1",
         "facility_settings_late_minutes_max_check"),
        ("a grace below nothing",
         "UPDATE gate.facility_settings SET grace_minutes_exit = -1",
         "facility_settings_grace_minutes_exit_check"),
    ],
    "numbers": [
        ("phantoms after no day",
         "UPDATE gate.facility_settings SET phantom_days = 0",
         "facility_settings_phantom_days_check"),
        ("phantoms closed after no day",
         "UPDATE gate.facility_settings SET phantom_close_days = 0",
         "facility_settings_phantom_close_days_check"),
        ("phantoms closed after nobody says how many days",
         "UPDATE gate.facility_settings SET phantom_policy = 'close_after_days'",
         "facility_settings_phantom_check"),
        ("a drift of fewer than no vehicles",
         "UPDATE gate.facility_settings SET drift_count_max = -1",
         "facility_settings_drift_count_max_check"),
        ("a grace for overstaying below nothing",
         "UPDATE gate.facility_settings SET overstay_grace_minutes = -1",
         "facility_settings_overstay_grace_minutes_check"),
        ("a grace for a wrong spot below nothing",
         "UPDATE gate.facility_settings SET misuse_grace_minutes = -1",
         "facility_settings_misuse_grace_minutes_check"),
        ("fewer vehicles counted than none",
         "UPDATE gate.zone_counts SET occupied = -1", "zone_counts_occupied_check"),
        ("a facility of fewer spots than none",
         "UPDATE facilities SET total_spots = -1", "facilities_available_check"),
        ("fewer free spots than none in a facility",
         "UPDATE facilities SET available_spots = -1", "facilities_available_spots_check"),
        ("more free spots in a facility than it has",
         "UPDATE facilities SET available_spots = total_spots + 1", "facilities_available_check"),
        ("a zone of fewer spots than none",
         "UPDATE zones SET total_spots = -1", "zones_available_check"),
        ("fewer free spots than none in a zone",
         "UPDATE zones SET available_spots = -1", "zones_available_spots_check"),
        ("more free spots in a zone than it has",
         "UPDATE zones SET available_spots = total_spots + 1", "zones_available_check"),
        ("a subscription without entries",
         "UPDATE subscriptions SET entry_count = 0", "subscriptions_entry_count_check"),
        ("fewer entries left than none",
         "UPDATE user_subscriptions SET entries_remaining = -1",
         "user_subscriptions_entries_remaining_check"),
        ("a distance below nothing",
         "UPDATE gate.spot_distances SET metres = -0.1", "spot_distances_metres_check"),
        ("a zone before the first one",
         "UPDATE gate.lane_zones SET position = -1", "lane_zones_position_check"),
        ("a migration before the first one",
         "INSERT INTO gate.migrations (version, name, digest) VALUES (-1, 'x', 'x')",
         "migrations_version_check"),
        ("too far north", "UPDATE facilities SET latitude = 90.1, longitude = 0",
         "facilities_latitude_check"),
        ("too far west", "UPDATE facilities SET latitude = 0, longitude = -180.1",
         "facilities_longitude_check"),
        ("a latitude without a longitude",
         "UPDATE facilities SET latitude = 59.9", "facilities_place_check"),
    ],
    "names": [
        ("an address without @", "UPDATE users SET email = 'a'", "users_email_check"),
        ("a plate of nothing", "UPDATE vehicles SET plate_number = ''", "vehicles_plate_check"),
        ("a plate of separators alone",
         "UPDATE vehicles SET plate_number = ' - '", "vehicles_plate_check"),
        ("a booking's plate of nothing",
         "UPDATE bookings SET plate_number = ''", "bookings_plate_check"),
        ("an offender's plate of nothing",
         "UPDATE violations SET plate_number = ''", "violations_plate_number_check"),
        ("a ticket of nothing",
         "UPDATE bookings SET ticket_number = ''", "bookings_ticket_check"),
        ("a facility without name", "UPDATE facilities SET name = ''", "facilities_name_check"),
        ("a zone without name", "UPDATE zones SET name = ''", "zones_name_check"),
        ("a zone without code", "UPDATE zones SET code = ''", "zones_code_check"),
        ("a spot without number",
         "UPDATE parking_spots SET spot_number = ''", "parking_spots_spot_number_check"),
        ("a tariff without name",
         ("INSERT INTO pricing_rules (facility_id, name, strategy, config, free_minutes)"
          " SELECT facility_id, '', strategy, config, 10 FROM pricing_rules"),
         "pricing_rules_name_check"),
        ("a subscription without name",
         "UPDATE subscriptions SET name = ''", "subscriptions_name_check"),
        ("a transaction of nothing",
         "UPDATE payments SET provider_txn_id = ''", "payments_provider_txn_id_check"),
        ("a refund's transaction of nothing",
         "UPDATE gate.refunds SET provider_txn_id = ''", "refunds_provider_txn_id_check"),
        ("an offence without name",
         "UPDATE violations SET violation_type = ''", "violations_violation_type_check"),
        ("a listed offence without name",
         "UPDATE gate.penalties SET violation_type = ''", "penalties_violation_type_check"),
        ("a day of a kind that the clock has a name for",
         "UPDATE gate.calendar_days SET kind = 'mon'", "calendar_days_kind_check"),
        ("a match that is no object",
         "UPDATE bookings SET exit_match = '[]'", "bookings_exit_match_check"),
        ("a price's context that is no object",
         "UPDATE bookings SET price_context = '[]'", "bookings_price_context_check"),
        ("a facility's slug with a blank",
         "UPDATE gate.facility_settings SET slug = 'north 1'", "facility_settings_slug_check"),
        ("a lane's slug of nothing", "UPDATE gate.lanes SET slug = ''", "lanes_slug_check"),
        ("a device's slug in capitals",
         "UPDATE gate.devices SET slug = 'CAMERA'", "devices_slug_check"),
        ("an operator's name that is no part of a topic",
         "UPDATE facility_staff SET operator_name = 'a/b'", "facility_staff_operator_name_check"),
        ("a waiver for no reason",
         "UPDATE gate.waivers SET reason = ''", "waivers_reason_check"),
    ],
    "words": [
        ("a policy for phantoms that is none",
         "UPDATE gate.facility_settings SET phantom_policy = 'forget'",
         "facility_settings_phantom_policy_check"),
        ("a stay closed for no reason",
         "UPDATE bookings SET closed_reason = ''", "bookings_closed_reason_check"),
        ("a plate on a spot that is free",
         "UPDATE gate.spot_states SET occupied = false", "spot_states_plate_check"),
        ("no plate on a spot, as a text",
         "UPDATE gate.spot_states SET plate = ''", "spot_states_plate_check"),
        ("a fill policy that is none",
         "UPDATE gate.zone_settings SET fill_policy = 'highest'",
         "zone_settings_fill_policy_check"),
        ("a place that vehicles of an entry come from within",
         "UPDATE gate.lanes SET from_zone_id = (SELECT id FROM zones)", "lanes_from_zone_check"),
        ("a limit for a group that is none",
         "UPDATE gate.zone_limits SET parker_group = 'friend'", "zone_limits_parker_group_check"),
        ("a limit below nothing",
         "UPDATE gate.zone_limits SET stays_max = -1", "zone_limits_stays_max_check"),
        ("a limit that begins at no time of day",
         "UPDATE gate.zone_limits SET begins = '7'", "zone_limits_begins_check"),
        ("a limit that ends at no time of day",
         "UPDATE gate.zone_limits SET ends = '25:00'", "zone_limits_ends_check"),
        ("a limit that begins and does not end",
         "UPDATE gate.zone_limits SET ends = NULL", "zone_limits_window_check"),
        ("a claim for a group that is none",
         "UPDATE gate.claims SET parker_group = 'friend'", "claims_parker_group_check"),
        ("a part of a stay before the first",
         "UPDATE gate.stay_segments SET position = 0", "stay_segments_position_check"),
        ("a part of a stay that ends before it begins",
         "UPDATE gate.stay_segments SET ends_at = begins_at - interval '1 second'",
         "stay_segments_ends_check"),
        ("an evacuation that ends before it begins",
         "UPDATE gate.evacuations SET ended_at = began_at - interval '1 second'",
         "evacuations_order_check"),
        ("a passage between zones, known by nothing",
         "UPDATE gate.stay_segments SET known = 'guessed'", "stay_segments_known_check"),
        ("a sign that is free again with nothing free",
         "UPDATE gate.facility_settings SET sign_free_again = 0",
         "facility_settings_sign_free_again_check"),
        ("a direction that is none",
         "UPDATE gate.lanes SET direction = 'both'", "lanes_direction_check"),
        ("a passage in, known by nothing",
         "UPDATE bookings SET entry_known = 'guessed'", "bookings_entry_known_check"),
        ("a passage out, known by nothing",
         "UPDATE bookings SET exit_known = 'guessed'", "bookings_exit_known_check"),
        ("a right that is none",
         "UPDATE bookings SET entitlement = 'friend'", "bookings_entitlement_check"),
        ("the right of a subscription without one",
         "UPDATE bookings SET entitlement = 'subscription'", "bookings_subscription_check"),
        ("a subscription without its right",
         "UPDATE bookings SET user_subscription_id = (SELECT id FROM user_subscriptions)",
         "bookings_subscription_check"),
        ("a claim of no kind", "UPDATE gate.claims SET kind = 'wish'", "claims_kind_check"),
        ("a message that is nowhere",
         "UPDATE gate.events SET status = 'lost'", "events_status_check"),
        ("a decision that is none",
         "UPDATE gate.decisions SET decision = 'perhaps'", "decisions_decision_check"),
        ("a command that is none",
         "UPDATE gate.commands SET do_what = 'jump'", "commands_do_what_check"),
        ("a command that is nowhere",
         "UPDATE gate.commands SET status = 'lost'", "commands_status_check"),
        ("a mode of a lane that is none",
         "UPDATE gate.lane_modes SET mode = 'ajar'", "lane_modes_mode_check"),
        ("a mode of a facility that is none",
         "UPDATE gate.facility_modes SET mode = 'panic'", "facility_modes_mode_check"),
    ],
    "documents": [
        ("what a decision rests on that is no object",
         "UPDATE gate.decisions SET facts = '[]'", "decisions_facts_check"),
        ("evidence that is no object",
         "UPDATE violations SET evidence = '[]'", "violations_evidence_check"),
        ("a facility's policy that is no object",
         "UPDATE gate.facility_settings SET policy = '[]'", "facility_settings_policy_check"),
        ("a lane's policy that is no object",
         "UPDATE gate.lanes SET policy = '1'", "lanes_policy_check"),
        ("opening hours of a lane that are no object",
         "UPDATE gate.lanes SET opening = '[]'", "lanes_opening_check"),
        ("opening hours that are no object",
         "UPDATE gate.facility_settings SET opening = '[]'", "facility_settings_opening_check"),
        ("a display that is no object",
         "UPDATE gate.facility_settings SET display = '[]'", "facility_settings_display_check"),
        ("options that are no object",
         "UPDATE gate.devices SET options = 'null'", "devices_options_check"),
    ],
    "passages without a grant": [
        ("a vehicle in a zone, with a spot",
         "UPDATE bookings SET zone_id = (SELECT id FROM zones)", "bookings_place_check"),
        ("no kind of anti-passback",
         "UPDATE gate.facility_settings SET anti_passback = 'firm'",
         "facility_settings_anti_passback_check"),
        ("a contradiction settled by no words",
         "UPDATE gate.reconciliations SET resolution = ''", "reconciliations_resolution_check"),
        ("neither in nor out",
         "UPDATE gate.free_passages SET direction = 'through'", "free_passages_direction_check"),
        ("no kind of passage",
         "UPDATE gate.free_passages SET kind = 'granted'", "free_passages_kind_check"),
        ("a note without a name",
         "UPDATE gate.lane_notes SET name = ''", "lane_notes_name_check"),
    ],
}  # fmt: skip
# No row can break these and nothing else: what is free is neither below nothing nor above them.
IMPLIED = {"facilities_total_spots_check", "zones_total_spots_check"}


@pytest.mark.parametrize("about", RULES)
async def test_a_row_that_breaks_a_rule_is_refused_by_name(
    owner: Connection, place: Place, about: str
) -> None:
    await owner.execute(SOUND)
    refused: dict[str, str | None] = {}
    for what, statement, _ in RULES[about]:
        transaction = owner.transaction()
        await transaction.start()
        try:
            await owner.execute(statement)
            refused[what] = None
        except asyncpg.IntegrityConstraintViolationError as error:
            refused[what] = error.constraint_name
        finally:
            await transaction.rollback()
    assert refused == {what: constraint for what, _, constraint in RULES[about]}


@pytest.mark.every_postgres
async def test_no_check_is_without_a_row_that_breaks_it(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        " WHERE k.contype = 'c' AND NOT c.relispartition"
        " AND k.connamespace IN ('public'::regnamespace, 'gate'::regnamespace)"
    )
    broken = {constraint for rules in RULES.values() for *_, constraint in rules}
    assert {row["conname"] for row in rows} - broken == IMPLIED


async def test_a_word_that_is_none_of_an_enum_is_refused(owner: Connection, place: Place) -> None:
    rows = await owner.fetch(
        "SELECT a.attrelid::regclass::text AS table_name, quote_ident(a.attname) AS column_name,"
        " t.typname AS type_name FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        " JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE t.typtype = 'e' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    )
    there = {f"{row['table_name']}.{row['column_name']}" for row in rows}
    assert there >= ENUMS
    for table, column, type_name in rows:
        with pytest.raises(
            asyncpg.InvalidTextRepresentationError,
            match=f'invalid input value for enum {type_name}: "NO_SUCH"',
        ):
            await owner.execute(f"UPDATE {table} SET {column} = 'NO_SUCH'")
