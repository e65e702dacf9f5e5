"""A database in use is upgraded: nothing of it is lost, and it runs on.

Before the upgrade it stands where 0001 and 0002 had brought it, with rows of each kind
(`data/before_0003_rows.sql`) and the stored functions of that time by name, arguments and answers
(`data/before_0003_functions.sql`): what they did is not needed, only that they were there.
"""

import json
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from unittest import mock
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner

from gated.cli.main import app
from gated.core.errors import StoreError
from gated.core.ids import FacilityId, LaneId, StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.db import migrate
from gated.db.pool import DatabaseSettings
from gated.db.sql import Migration, Script, migrations
from gated.db.store import open_store
from gated.records import AdmitOutcome, ReleaseOutcome
from tests.db.site import Gate, Site
from tests.services.databases import Database, run_apart
from tests.services.postgres import PostgresServer

pytestmark = pytest.mark.direct("makes databases, and its own connections to them")

DATA = Path(__file__).parent / "data"
FUNCTIONS = Script("functions/before.sql", (DATA / "before_0003_functions.sql").read_text())
ROWS = (DATA / "before_0003_rows.sql").read_text()
BEFORE = migrations()[:2]
LATER = [migration.name for migration in migrations()[2:]]

FACILITY = FacilityId(UUID("00000000-0000-4000-8000-000000000300"))
# The tables that have another row after each upgrade.
OWN_BOOKS = {"gate.migrations"}

Rows = dict[str, list[dict[str, object]]]


def stay_id(number: int) -> StayId:
    return StayId(UUID(f"00000000-0000-4000-8000-{700 + number:012}"))


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The database after its upgrade, and what stood in it before."""

    server: PostgresServer
    template: str
    dsn: str  # of a copy to be looked at
    before: Rows
    applied: list[str]


async def fill(dsn: str) -> None:
    """The state before 0003: made as an upgrade of then made it, and put to use."""
    with (
        mock.patch.object(migrate, "superseded", return_value=Script("superseded.sql", "")),
        mock.patch.object(migrate, "functions", return_value=(FUNCTIONS,)),
        mock.patch.object(migrate, "grants", return_value=Script("grants.sql", "")),
    ):
        await migrate.upgrade(dsn, known=BEFORE)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(ROWS)
    finally:
        await connection.close()


async def rows(dsn: str) -> Rows:
    """All that stands in the tables, whatever partition it is in."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND n.nspname IN ('public', 'gate')"
        )
        return {
            row["name"]: [
                json.loads(found[0], parse_float=Decimal)
                for found in await connection.fetch(f"SELECT to_jsonb(t) FROM {row['name']} t")
            ]
            for row in tables
        }
    finally:
        await connection.close()


def as_before(before: Rows, after: Rows, table: str) -> list[dict[str, object]]:
    """The rows of `after` with the columns that the table had before."""
    columns = set(before[table][0]) if before[table] else set()
    return [{column: row[column] for column in columns} for row in after[table]]


def in_order(found: list[dict[str, object]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in found)


@asynccontextmanager
async def made(server: PostgresServer, template: str = "template1") -> AsyncIterator[str]:
    name = f"filled_{uuid.uuid4().hex}"
    await execute(server.dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        await execute(server.dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def upgraded(postgres: PostgresServer) -> Iterator[Upgraded]:
    postgres.start()
    name = f"upgraded_{uuid.uuid4().hex}"
    copy = f"{name}_copy"

    async def build() -> Upgraded:
        dsn = postgres.dsn_for(name)
        await execute(postgres.dsn, f"CREATE DATABASE {name}")
        await fill(dsn)
        before = await rows(dsn)
        applied = await migrate.upgrade(dsn)
        # Any connection to a template would make the next clone fail.
        await execute(postgres.dsn, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await execute(postgres.dsn, f"CREATE DATABASE {copy} TEMPLATE {name}")
        return Upgraded(postgres, name, postgres.dsn_for(copy), before, applied)

    yield run_apart(build())
    postgres.start()
    for database in (copy, name):
        run_apart(execute(postgres.dsn, f"DROP DATABASE {database} WITH (FORCE)"))


@pytest.fixture
async def owner(upgraded: Upgraded) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the upgraded database, which is only looked at."""
    connection = await asyncpg.connect(upgraded.dsn)
    yield connection
    await connection.close()


@dataclass(frozen=True, slots=True)
class Running:
    """The upgraded database with a daemon's store at work on it."""

    gate: Gate
    owner: asyncpg.Connection
    now: datetime

    async def ticket(self, number: int) -> asyncpg.Record:
        row = await self.owner.fetchrow("SELECT * FROM bookings WHERE id = $1", stay_id(number))
        assert row is not None
        return row

    async def leave(self, number: int, plate: str) -> tuple[Money | None, Money | None]:
        """The stay's vehicle is let out: what it cost, and what is left due."""
        departure = await self.gate.departure(stay_id(number), plate, at=self.now)
        answer = await self.gate.store.release(FACILITY, self.gate.fence, departure)
        assert answer.outcome is ReleaseOutcome.RELEASED
        return answer.price, answer.due

    async def agrees(self) -> bool:
        return not await self.owner.fetch("SELECT * FROM gate.verify_v1()")


@pytest.fixture
async def running(upgraded: Upgraded) -> AsyncIterator[Running]:
    """A copy of its own for each test that acts."""
    async with made(upgraded.server, upgraded.template) as name:
        dsn = upgraded.server.dsn_for(name)
        settings = DatabaseSettings(upgraded.server.dsn_for(name, "gated_daemon"))
        owner = await asyncpg.connect(dsn)
        try:
            async with open_store(settings, rng=random.Random(1)) as store:
                lease = await store.acquire_lease(FACILITY, "daemon-2", 3600)
                assert lease is not None
                setup = await store.facility_setup(FACILITY)
                gate = Gate(store, Lanes(setup, {}, ()), lease[0])
                yield Running(gate, owner, datetime.now(UTC))
        finally:
            await owner.close()


class Lanes(Site):
    """The site of the file: one lane in, one out."""

    @property
    def exit(self) -> LaneId:
        return self.setup.lanes[1].id


# ── nothing is lost ─────────────────────────────────────────────────────────────────────────


def test_the_database_was_in_use_and_had_all_of_it_to_do(upgraded: Upgraded) -> None:
    assert {table for table, found in upgraded.before.items() if not found} == set()
    assert upgraded.applied == LATER


@pytest.mark.every_postgres
async def test_each_row_is_there_afterwards_as_it_was(upgraded: Upgraded) -> None:
    after = await rows(upgraded.dsn)
    assert set(upgraded.before) < set(after)
    for table in set(upgraded.before) - OWN_BOOKS:
        kept = as_before(upgraded.before, after, table)
        assert in_order(kept) == in_order(upgraded.before[table]), table


async def test_what_is_new_says_nothing_of_what_was_before(upgraded: Upgraded) -> None:
    """Tables that came with the upgrade are empty, and no old stay was closed or moved by it."""
    after = await rows(upgraded.dsn)
    assert {table for table in set(after) - set(upgraded.before) if after[table]} == set()
    news = [(row["zone_id"], row["closed_reason"]) for row in after["public.bookings"]]
    assert set(news) == {(None, None)}


@pytest.mark.every_postgres
async def test_what_is_derived_agrees_with_what_it_is_derived_from(
    owner: asyncpg.Connection,
) -> None:
    assert await owner.fetch("SELECT * FROM gate.verify_v1()") == []


async def test_claims_learn_whose_they_are(owner: asyncpg.Connection) -> None:
    groups = await owner.fetch(
        "SELECT t.ticket_number, c.kind, c.parker_group FROM gate.claims c"
        " JOIN gate.tickets t USING (booking_id) ORDER BY 1"
    )
    assert [tuple(row) for row in groups] == [
        ("T01", "stay", "transient"),
        ("T02", "stay", "permit_holder"),
        ("T03", "stay", "permit_holder"),
        ("T04", "stay", "reservation"),
        ("T05", "stay", "transient"),
        ("T06", "stay", "transient"),
        ("T11", "reservation", "reservation"),
        ("T12", "reservation", "reservation"),
        ("T13", "reservation", "reservation"),
    ]


# ── it is as if it had been made today ──────────────────────────────────────────────────────

CATALOGUE = {
    "functions": (
        "SELECT p.oid::regprocedure::text AS name, pg_get_function_result(p.oid), p.prosrc,"
        " p.proargnames::text, p.prosecdef, p.proacl::text FROM pg_proc p"
        " WHERE p.pronamespace = 'gate'::regnamespace"
    ),
    "columns": (
        "SELECT a.attrelid::regclass::text || '.' || a.attname AS name, a.attnum,"
        " format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),"
        " col_description(a.attrelid, a.attnum) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid"
        " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
        " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v')"
        " AND c.relnamespace IN ('public'::regnamespace, 'gate'::regnamespace)"
    ),
    "constraints": (
        "SELECT conrelid::regclass::text || '.' || conname AS name, pg_get_constraintdef(oid),"
        " convalidated FROM pg_constraint"
        " WHERE connamespace IN ('public'::regnamespace, 'gate'::regnamespace)"
    ),
    "indexes": (
        "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid), i.indisvalid"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relnamespace IN ('public'::regnamespace, 'gate'::regnamespace)"
    ),
    "triggers": (
        "SELECT tgrelid::regclass::text || '.' || tgname AS name, pg_get_triggerdef(oid), tgenabled"
        " FROM pg_trigger WHERE NOT tgisinternal"
    ),
}


@pytest.mark.every_postgres
async def test_nothing_tells_it_from_a_new_database(
    owner: asyncpg.Connection, new_database: Callable[[], Database]
) -> None:
    """No function of before is left beside its successor, and none is its successor in part."""
    new = await asyncpg.connect(new_database().dsn)
    try:
        for what, query in CATALOGUE.items():
            there = {row["name"]: tuple(row) for row in await owner.fetch(query)}
            expected = {row["name"]: tuple(row) for row in await new.fetch(query)}
            assert there == expected, what
    finally:
        await new.close()


async def test_constraints_are_validated_and_indexes_valid(owner: asyncpg.Connection) -> None:
    assert await owner.fetch("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []
    assert await owner.fetch("SELECT indexrelid FROM pg_index WHERE NOT indisvalid") == []


async def test_a_second_upgrade_does_nothing(upgraded: Upgraded) -> None:
    async with made(upgraded.server, upgraded.template) as name:
        dsn = upgraded.server.dsn_for(name)
        before = await rows(dsn)
        assert await migrate.upgrade(dsn) == []
        assert (await migrate.status(dsn)).current
        after = await rows(dsn)
        for books in (before, after):  # the functions are applied anew, which is noted
            books["gate.migrations"] = [
                row for row in books["gate.migrations"] if row["version"] != 0
            ]
        assert after == before


# ── daemons go on meanwhile ─────────────────────────────────────────────────────────────────


@pytest.mark.every_postgres
async def test_an_upgrade_that_stops_on_its_way_leaves_the_functions_of_before(
    postgres: PostgresServer,
) -> None:
    """Migrations commit one by one, and a daemon of before goes on between them and after a
    failure: what it calls is there until the functions of today take its place, all at once.
    """
    last = Migration(len(migrations()) + 1, Script("migrations/9999_stops.sql", "SELECT 1 / 0"))
    there = (
        "SELECT oid::regprocedure::text AS form, prosrc LIKE '%before 0003%' AS old FROM pg_proc"
        " WHERE pronamespace = 'gate'::regnamespace"
    )
    async with made(postgres) as name:
        dsn = postgres.dsn_for(name)
        await fill(dsn)
        connection = await asyncpg.connect(dsn)
        try:
            before = await connection.fetch(there)
            with pytest.raises(StoreError, match="division by zero"):
                await migrate.upgrade(dsn, known=(*migrations(), last))
            left = {row["form"]: row["old"] for row in await connection.fetch(there)}
            # Those that tables call may have changed: their arguments stay.
            assert {name for name, _ in before} - left.keys() == set()
            assert {name for name, called in before if called and not left[name]} == set()
            assert sum(called for _, called in before) > 90
        finally:
            await connection.close()
        assert await migrate.upgrade(dsn) == []


async def test_functions_change_between_decisions_and_not_within_one(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has passed the fence goes on with the functions that he began with."""
    async with made(postgres) as name:
        dsn = postgres.dsn_for(name)
        await fill(dsn)
        daemon = await asyncpg.connect(dsn)
        decision = daemon.transaction()
        await decision.start()
        await daemon.fetch("SELECT FROM gate.leases")  # as gate.hold_fence_v1 does

        async def decide() -> None:
            old = "SELECT count(*) FROM pg_proc WHERE prosrc LIKE '%before 0003%'"
            assert await daemon.fetchval(old) > 90
            await decision.commit()

        monkeypatch.setattr(migrate, "_let_others_on", decide)
        try:
            assert await migrate.upgrade(dsn) == LATER
            assert not daemon.is_in_transaction(), "the last step met the decision"
        finally:
            await daemon.close()


# ── it runs on ──────────────────────────────────────────────────────────────────────────────


def nok(amount: str) -> Money:
    return Money(Decimal(amount), "NOK")


@pytest.mark.every_postgres
async def test_who_was_inside_leaves_at_the_price_of_the_tariff_he_came_in_under(
    running: Running,
) -> None:
    """Two hours at 20 have begun, and one was paid before the upgrade."""
    snapshot = await running.gate.store.plate_snapshot(
        FACILITY, Plate("AAA111"), Direction.EXIT, running.now
    )
    assert snapshot.open_stay is not None
    assert snapshot.open_stay.id == stay_id(1)
    assert (snapshot.price, snapshot.due) == (nok("40"), nok("20"))
    assert await running.leave(1, "AAA111") == (nok("40"), nok("20"))
    ended = await running.ticket(1)
    assert (ended["status"], ended["final_price"]) == ("COMPLETED", 40)
    assert json.loads(ended["price_lines"]) != []
    assert await running.agrees()


async def test_rights_of_before_cover_their_stays(running: Running) -> None:
    assert await running.leave(2, "ME103") == (nok("0"), nok("0"))
    assert await running.leave(3, "ST102") == (nok("0"), nok("0"))
    assert await running.leave(4, "GU104") == (nok("25"), nok("25"))
    assert await running.agrees()


async def test_one_on_a_spot_out_of_service_leaves_it_out_of_service(running: Running) -> None:
    price, due = await running.leave(6, "OLD666")
    assert price == due == nok("9600")  # the 480th hour has begun
    spot = await running.owner.fetchrow("SELECT * FROM parking_spots WHERE spot_number = 'A-6'")
    assert spot is not None
    assert (spot["status"], spot["current_booking"]) == ("MAINTENANCE", None)
    assert await running.agrees()


async def test_somebody_new_is_let_in(running: Running) -> None:
    request = await running.gate.entry("NEU1", at=running.now)
    answer = await running.gate.store.admit(FACILITY, running.gate.fence, request)
    assert answer.outcome is AdmitOutcome.ADMITTED
    again = await running.gate.entry("AAA111", at=running.now)
    refused = await running.gate.store.admit(FACILITY, running.gate.fence, again)
    assert refused.outcome is AdmitOutcome.ALREADY_INSIDE
    assert await running.agrees()


async def test_who_is_expected_is_known_and_gets_the_spot_that_was_held(running: Running) -> None:
    snapshot = await running.gate.store.plate_snapshot(
        FACILITY, Plate("NEW111"), Direction.ENTRY, running.now
    )
    assert snapshot.reservation is not None
    assert snapshot.reservation.id == stay_id(11)


async def test_what_waits_in_the_inbox_and_the_outbox_still_waits(running: Running) -> None:
    pending = await running.gate.store.pending_events(FACILITY, 100)
    assert [(row.kind, row.payload) for row in pending] == [
        ("plate", b'{"plate": "WAIT11"}'),
        ("presence", b'{"on": true}'),
    ]
    waiting = await running.gate.store.accepted_commands(FACILITY)
    assert {(command.plate, command.text) for command in waiting} == {
        (Plate("X5"), None),
        (Plate("X6"), None),
    }


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["why", "AAA111", "--since", "1d"], "inside"),
        (["why", "FULL1", "--since", "1d"], "full"),
        (["why", "T06"], "violation: overstay"),
        (["debts", "-f", "north"], "DEB122"),
        (["violations", "-f", "north"], "note: dusty"),
        (["reconcile", "list", "-f", "north"], "payment_refused"),
        (["stays", "phantoms", "north"], "OLD666"),
    ],
)
def test_people_are_told_of_what_was_before(
    upgraded: Upgraded, tmp_path: Path, command: list[str], says: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[database]\ndsn = "{upgraded.dsn}"\n[mqtt]\nhost = "localhost"\n')
    result = CliRunner().invoke(app, command, env={"GATED_CONFIG": str(config)})
    assert result.exit_code == 0, result.output
    assert says in result.output
