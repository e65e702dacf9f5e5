"""The data model holds all that the platform's overview lists.

What the overview lists is restated here in a form of its own and held against the catalogue of a
fresh database.
"""

import pytest

from gated.core.money import EXPONENTS
from gated.db.migrate import PLATFORM_TABLES
from tests.db.place import Connection

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
    # It outlives the booking by years: asked for when written, not afterwards.
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


async def test_every_table_and_type_of_ours_is_described(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'p')"
        " AND relnamespace IN ('public'::regnamespace, 'gate'::regnamespace)"
        " AND NOT relispartition AND obj_description(c.oid) IS NULL"
    )
    assert [row[0] for row in rows] == []


async def test_the_currencies_are_those_of_the_core(owner: Connection) -> None:
    rows = await owner.fetch("SELECT code, exponent FROM gate.currencies")
    assert {row["code"]: row["exponent"] for row in rows} == EXPONENTS
