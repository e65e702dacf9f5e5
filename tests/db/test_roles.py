"""Least privilege: what the daemon and the reader may do, and that it is enough."""

from datetime import timedelta

import asyncpg
import pytest

from tests.db.place import Connection, Place, book, partitions

# What the daemon may do to whole tables: r(ead), a(dd), w(rite over), d(elete).
DAEMON = {
    **dict.fromkeys(
        [
            "vehicles",
            "facilities",
            "zones",
            "parking_spots",
            "pricing_rules",
            "subscriptions",
            "user_subscriptions",
            "facility_staff",
            "gate.migrations",
            "gate.currencies",
            "gate.facility_settings",
            "gate.lanes",
            "gate.zone_settings",
            "gate.calendar_days",
            "gate.penalties",
            "gate.lane_zones",
            "gate.spot_distances",
            "gate.devices",
            "gate.tickets",
            "gate.claims",
            "gate.spot_changes",
            "gate.zone_limits",
        ],
        "r",
    ),
    "users": "",
    "audit_logs": "ra",
    "gate.decisions": "ra",
    "gate.refunds": "ra",
    "gate.waivers": "ra",
    **dict.fromkeys(
        [
            "bookings",
            "payments",
            "violations",
            "gate.leases",
            "gate.events",
            "gate.commands",
            "gate.reconciliations",
            "gate.zone_counts",
            "gate.spot_states",
            "gate.lane_modes",
            "gate.facility_modes",
            "gate.evacuations",
        ],
        "raw",
    ),
    "gate.event_keys": "rawd",
    "gate.free_passages": "rawd",
    "gate.lane_notes": "rad",
    "gate.stay_segments": "rawd",
}
DAEMON_COLUMNS = {
    "users.id": "r",
    "users.role": "r",
    "users.is_verified": "r",
    "users.is_active": "r",
    "gate.facility_settings.passback_reset_at": "w",
    "parking_spots.status": "w",
    "parking_spots.current_booking": "w",
    "user_subscriptions.entries_remaining": "w",
}
WORDS = {"SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}


async def rights(connection: Connection, role: str) -> dict[str, str]:
    rows = await connection.fetch(
        "SELECT replace(c.oid::regclass::text, '\"', '') AS name, p.word,"
        " has_table_privilege($1::text, c.oid, p.word) AS may FROM pg_class c,"
        " unnest($2::text[]) WITH ORDINALITY AS p (word, position)"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relnamespace IN ('public'::regnamespace, 'gate'::regnamespace)"
        " ORDER BY 1, p.position",
        role,
        [*WORDS, "TRUNCATE", "REFERENCES", "TRIGGER"],
    )
    found: dict[str, str] = {}
    for row in rows:
        letter = WORDS.get(row["word"], row["word"])
        found[row["name"]] = found.get(row["name"], "") + (letter if row["may"] else "")
    return found


async def column_rights(connection: Connection, role: str) -> dict[str, str]:
    """The rights on single columns, beyond those on the table."""
    rows = await connection.fetch(
        "SELECT a.attrelid::regclass || '.' || a.attname AS name,"
        " string_agg(x.privilege_type, ' ' ORDER BY x.privilege_type) AS words"
        " FROM pg_attribute a, aclexplode(a.attacl) x"
        " WHERE x.grantee = $1::text::regrole GROUP BY 1",
        role,
    )
    return {
        row["name"]: "".join(WORDS.get(word, word) for word in row["words"].split()) for row in rows
    }


@pytest.mark.every_postgres
async def test_the_daemon_may_do_what_it_needs_and_no_more(owner: Connection) -> None:
    assert await rights(owner, "gated_daemon") == DAEMON
    assert await column_rights(owner, "gated_daemon") == DAEMON_COLUMNS


@pytest.mark.every_postgres
async def test_the_reader_reads_all_but_contact_data(owner: Connection) -> None:
    assert await rights(owner, "gated_reader") == {
        name: "" if name == "users" else "r" for name in DAEMON
    }
    columns = await column_rights(owner, "gated_reader")
    assert set(columns.values()) == {"r"}
    assert {"users.email", "users.phone"} & set(columns) == set()


@pytest.mark.every_postgres
async def test_nobody_else_gets_at_our_functions(owner: Connection) -> None:
    rows = await owner.fetch(
        "SELECT p.oid::regprocedure::text AS name FROM pg_proc p, aclexplode(p.proacl) x"
        " WHERE p.pronamespace = 'gate'::regnamespace AND x.grantee = 0"
        " UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace = 'gate'::regnamespace AND p.proacl IS NULL"
    )
    assert {row["name"] for row in rows} == {
        "gate.is_amount_v1(jsonb)",
        "gate.is_clock_v1(jsonb)",
        "gate.is_count_v1(jsonb)",
        "gate.is_list_v1(jsonb)",
        "gate.is_percent_v1(jsonb)",
        "gate.tariff_faults_v1(pricing_strategy,jsonb,integer)",
        "gate.plate_normal_v1(text)",
        "gate.ticket_number_v1()",
    }
    unsafe = await owner.fetch(
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace = 'gate'::regnamespace AND p.prosecdef"
        " AND NOT coalesce(p.proconfig, '{}') @> '{\"search_path=pg_catalog, pg_temp\"}'"
    )
    assert [row[0] for row in unsafe] == []


@pytest.mark.every_postgres
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET action = 'x'",
        "DELETE FROM audit_logs",
        "TRUNCATE audit_logs",
        "DELETE FROM bookings",
        "UPDATE gate.decisions SET reason = 'x'",
        "DELETE FROM gate.events",
        "INSERT INTO gate.tickets VALUES ('X', gen_random_uuid(), now())",
        "UPDATE facilities SET name = 'x'",
        "UPDATE pricing_rules SET priority = 1",
        "UPDATE gate.lanes SET policy = '{}'",
        "INSERT INTO gate.migrations VALUES (9, 'x', 'x')",
        "UPDATE zones SET available_spots = 3",
        "DELETE FROM gate.claims",
        "UPDATE audit_logs SET actor = 'x'",
        "SELECT email FROM users",
        "SELECT * FROM users",
        "SELECT nextval('gate.ticket_numbers')",
        "DROP TABLE audit_logs",
        "ALTER TABLE bookings ADD COLUMN x int",
        "ALTER TABLE bookings DISABLE TRIGGER ALL",
        "CREATE TABLE public.x (id int)",
        "CREATE TABLE gate.x (id int)",
        "CREATE SCHEMA x",
        "CREATE FUNCTION gate.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION gate.ticket_number_v1() RENAME TO x",
        "CREATE ROLE gated_other",
    ],
)
async def test_the_daemon_is_refused(daemon: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await daemon.execute(statement)


async def test_not_even_one_partition_of_the_record_is_open(
    owner: Connection, daemon: Connection
) -> None:
    """Rights are given on the parents, so a partition by its own name is closed."""
    name = next(iter(await partitions(owner, "public.audit_logs")))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await daemon.execute(f"DELETE FROM {name}")


@pytest.mark.every_postgres
async def test_the_daemon_does_its_work(daemon: Connection, place: Place) -> None:
    booking = await book(daemon, place)
    await daemon.execute("SELECT 1 FROM parking_spots FOR NO KEY UPDATE SKIP LOCKED")
    # Claim, spot and counters follow by triggers that have the rights.
    await daemon.execute(
        "UPDATE bookings SET status = 'ACTIVE', spot_id = $2 WHERE id = $1",
        booking["id"],
        place.spot,
    )
    assert await daemon.fetchval("SELECT status::text FROM parking_spots") == "OCCUPIED"
    assert await daemon.fetchval("SELECT booking_id FROM gate.claims") == booking["id"]
    assert await daemon.fetchval("SELECT available_spots FROM facilities") == 0
    await daemon.execute("UPDATE bookings SET entry_time = $1", place.at + timedelta(days=62))
    await daemon.execute(
        "INSERT INTO audit_logs (action, resource_type) VALUES ('stay.admitted', 'booking')"
    )
    assert await daemon.fetchval("SELECT count(*) FROM audit_logs") == 1
    assert await daemon.fetchval("SELECT count(role) FROM users") == 0
    await daemon.execute("DELETE FROM gate.event_keys")
    await daemon.execute("SELECT version FROM gate.migrations")


@pytest.mark.every_postgres
async def test_the_daemons_patience_is_a_property_of_its_role(daemon: Connection) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    shown = [await daemon.fetchval(f"SHOW {name}") for name in names]
    assert shown == ["5s", "2s", "1s"]
    row = await daemon.fetchrow(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
        " WHERE rolname = current_user"
    )
    assert row is not None
    assert not any(row.values())
