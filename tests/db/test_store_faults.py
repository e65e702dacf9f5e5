"""What happens to a call when the connection, the server or the caller goes away."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import PassageKnown
from gated.core.errors import FencedOut, NotSetUp, RefusedValue, SetupError, StoreError
from gated.core.events import CommandStatus
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.db.errors import refusal, translated
from gated.db.pool import Connection, Database, DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.records import AdmitOutcome, ReleaseOutcome
from tests.db.site import NOW, Gate, make_site, message
from tests.db.stores import Bench
from tests.services.databases import Database as OneDatabase
from tests.services.postgres import PostgresServer
from tests.services.tcp_proxy import TcpProxy

Answer = TypeVar("Answer")
ProxyTo = Callable[[tuple[str, int] | Path], AbstractAsyncContextManager[TcpProxy]]


class Forgetful(Database):
    """Runs each first attempt and then loses its answer, as a connection that breaks at the end."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        super().__init__(pool, seconds_max=10, rng=random.Random(1))
        self._calls = 0

    async def _attempt(
        self, run: Callable[[Connection], Awaitable[Answer]], seconds: float
    ) -> Answer:
        answer = await super()._attempt(run, seconds)
        self._calls += 1
        if self._calls % 2:
            raise ConnectionResetError("the answer was lost")
        return answer


@pytest.fixture
async def forgetful(postgres_bench: Bench) -> Gate:
    """The lease of a site, on a store that loses the answer of every first attempt."""
    gate = await postgres_bench.gate(make_site([["1", "2", "3"]]))
    assert isinstance(gate.store, PostgresStore)
    return replace(gate, store=PostgresStore(Forgetful(gate.store._database._pool)))


async def test_a_lost_answer_changes_nothing(forgetful: Gate, owner_of: asyncpg.Connection) -> None:
    """Each write is committed, its answer lost, and asked for again."""
    store, site, fence = forgetful.store, forgetful.site, forgetful.fence
    rows = [message(site, site.entry), message(site, site.entry)]
    assert list(await store.append_events(site.id, fence, rows)) == [True, True]

    request = await forgetful.entry()
    admitted = await store.admit(site.id, fence, request)
    assert (admitted.outcome, admitted.stay) == (AdmitOutcome.ADMITTED, request.stay)
    assert admitted.available == 2
    departure = await forgetful.departure(request.stay)
    released = await store.release(site.id, fence, departure)
    assert (released.outcome, released.available) == (ReleaseOutcome.RELEASED, 3)
    assert released.price is not None
    assert await store.deny(site.id, fence, await forgetful.denial()) is True
    await store.complete_passage(
        site.id, fence, request.stay, request.lane, PassageKnown.MEASURED, NOW, request.event
    )
    backed_out = await forgetful.entry("BACK1")
    await store.admit(site.id, fence, backed_out)
    available = await store.cancel_admission(
        site.id, fence, backed_out.stay, backed_out.lane, "backed out", NOW, backed_out.event
    )
    assert available == 3
    counted = await owner_of.fetchrow(
        "SELECT (SELECT count(*) FROM bookings WHERE facility_id = $1) AS stays,"
        " (SELECT count(*) FROM gate.decisions WHERE facility_id = $1) AS decisions,"
        " (SELECT count(*) FROM gate.commands WHERE facility_id = $1) AS commands,"
        " (SELECT count(*) FROM audit_logs WHERE facility_id = $1) AS audits,"
        " (SELECT count(*) FROM gate.events WHERE facility_id = $1) AS events,"
        " (SELECT available_spots FROM facilities WHERE id = $1) AS available",
        site.id,
    )
    assert counted is not None
    # Audit: admitted, released, denied, passed, admitted, command cancelled, cancelled.
    assert tuple(counted) == (2, 4, 4, 7, 6, 3)


async def test_a_command_whose_taking_was_not_answered_is_not_sent(forgetful: Gate) -> None:
    store, site, fence = forgetful.store, forgetful.site, forgetful.fence
    request = await forgetful.entry()
    await store.admit(site.id, fence, request)
    taken = await store.dispatch_command(site.id, fence, request.command.id, NOW)
    assert taken is CommandStatus.UNKNOWN
    for status in (CommandStatus.ACKNOWLEDGED, CommandStatus.CONFIRMED):
        stands = await store.advance_command(site.id, fence, request.command.id, status, None, NOW)
        assert stands is status


async def test_a_lost_answer_does_not_cost_the_lease(forgetful: Gate) -> None:
    store, site, fence = forgetful.store, forgetful.site, forgetful.fence
    await store.release_lease(site.id, "test-1", fence)
    taken = await store.acquire_lease(site.id, "test-2", 3600)
    assert taken == (fence + 1, 1)
    assert await store.renew_lease(site.id, "test-2", taken[0], 3600) == 1


@pytest.mark.direct("kills the server's connections by role")
async def test_connections_that_are_killed_lose_nothing(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """All backends die at a random moment of each round; every vehicle is admitted once."""
    rounds, vehicles = 20, 4
    spots = [str(number) for number in range(rounds * vehicles)]
    gate = await postgres_bench.gate(make_site([spots]))
    rng = random.Random(4)
    killed = 0

    async def admit(name: str) -> None:
        request = await gate.entry(name)
        answer = await gate.store.admit(gate.site.id, gate.fence, request)
        assert answer.stay == request.stay

    for number in range(rounds):
        async with asyncio.TaskGroup() as tasks:
            for vehicle in range(vehicles):
                tasks.create_task(admit(f"K{number}X{vehicle}"))
            await asyncio.sleep(rng.uniform(0, 0.02))
            killed += await owner_of.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = 'gated_daemon'"
            )
    assert killed >= rounds
    await owner_of.execute("SELECT gate.count_all_changes_v1()")
    counted = await owner_of.fetchrow(
        "SELECT (SELECT count(*) FROM gate.claims WHERE facility_id = $1) AS claims,"
        " (SELECT count(*) FROM gate.commands WHERE facility_id = $1) AS commands,"
        " (SELECT available_spots FROM facilities WHERE id = $1) AS available",
        gate.site.id,
    )
    assert counted is not None
    assert tuple(counted) == (80, 80, 0)


@pytest.mark.direct("puts a proxy before the server itself")
async def test_a_server_that_hangs_costs_bounded_time(
    database: OneDatabase, postgres: PostgresServer, tcp_proxy: ProxyTo
) -> None:
    """Nothing is closed and nothing answers: call and close end by our own clock."""
    loop = asyncio.get_running_loop()
    socket = postgres.socket_directory / ".s.PGSQL.5432"
    async with tcp_proxy(socket) as proxy:
        dsn = f"postgresql://gated_daemon@{proxy.host}:{proxy.port}/{database.name}"
        settings = DatabaseSettings(dsn, command_timeout_seconds=0.3)
        async with open_store(settings, rng=random.Random(1)) as store:
            assert list(await store.facility_ids()) == []
            await proxy.set("blackhole")
            started = loop.time()
            with pytest.raises(StoreError) as refused:
                await store.facility_ids()
            assert refused.value.retryable
            assert loop.time() - started < 1.0
            await proxy.set("pass")
            assert list(await store.facility_ids()) == []
            await proxy.set("blackhole")
            hung = asyncio.create_task(store.facility_ids())
            await asyncio.sleep(0.05)  # into the call; any moment of it will do
            hung.cancel()
            started = loop.time()
            with pytest.raises(asyncio.CancelledError):
                await hung
            assert loop.time() - started < 0.5
            started = loop.time()
        assert loop.time() - started < 3.0


async def test_a_cancelled_call_leaves_the_store_usable(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    request = await gate.entry()
    async with owner_of.transaction():
        await owner_of.execute("SELECT pg_advisory_xact_lock(gate.lease_lock_v1($1))", gate.site.id)
        waiting = asyncio.create_task(gate.store.admit(gate.site.id, gate.fence, request))
        await asyncio.sleep(0.05)  # into the call; any moment of it will do
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    answer = await gate.store.admit(gate.site.id, gate.fence, request)
    assert answer.stay == request.stay


async def test_a_server_that_is_away_is_worth_another_try(tmp_path: Path) -> None:
    settings = DatabaseSettings(f"postgresql://nobody@/none?host={tmp_path}")
    async with open_store(settings, rng=random.Random(1)) as store:
        with pytest.raises(StoreError) as refused:
            await store.facility_ids()
    assert refused.value.retryable


async def test_a_database_that_is_not_there_is_not(
    database: OneDatabase, postgres: PostgresServer
) -> None:
    settings = DatabaseSettings(postgres.dsn_for("no_such_database", "gated_daemon"))
    async with open_store(settings, rng=random.Random(1)) as store:
        with pytest.raises(StoreError, match="no_such_database") as refused:
            await store.facility_ids()
    assert not refused.value.retryable


async def test_too_small_a_pool_is_worth_another_try(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    assert postgres_bench.address is not None
    settings = DatabaseSettings(
        postgres_bench.address.dsn, pool_size_max=1, command_timeout_seconds=0.3
    )
    async with open_store(settings, rng=random.Random(1)) as store, owner_of.transaction():
        await owner_of.execute("SELECT pg_advisory_xact_lock(gate.lease_lock_v1($1))", gate.site.id)
        rows = [message(gate.site, gate.site.entry) for _ in range(3)]
        failures = await asyncio.gather(
            *(store.append_events(gate.site.id, gate.fence, [row]) for row in rows),
            return_exceptions=True,
        )
    for failure in failures:
        assert isinstance(failure, StoreError)
        assert failure.retryable


@pytest.mark.direct("sets its session's statement_timeout")
async def test_a_statement_that_takes_too_long_is_worth_another_try(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """The server's own limit and not ours; it says nothing about the message."""
    gate = await postgres_bench.gate()
    assert postgres_bench.address is not None
    dsn = postgres_bench.address.dsn
    limited = f"{dsn}{'&' if '?' in dsn else '?'}statement_timeout=50"
    rows = [message(gate.site, gate.site.entry)]
    async with open_store(DatabaseSettings(limited), rng=random.Random(1)) as store:
        async with owner_of.transaction():
            await owner_of.execute(
                "SELECT pg_advisory_xact_lock(gate.lease_lock_v1($1))", gate.site.id
            )
            with pytest.raises(StoreError, match="statement timeout") as refused:
                await store.append_events(gate.site.id, gate.fence, rows)
        assert refused.value.retryable
        assert list(await store.append_events(gate.site.id, gate.fence, rows)) == [True]


async def test_a_month_without_a_partition_is_no_messages_fault(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate()
    rows = [replace(message(gate.site, gate.site.entry), received_at=NOW + timedelta(days=3650))]
    with pytest.raises(StoreError, match="no partition") as refused:
        await gate.store.append_events(gate.site.id, gate.fence, rows)
    assert not isinstance(refused.value, RefusedValue)


async def test_a_wrong_argument_is_not_worth_another_try(postgres_bench: Bench) -> None:
    assert isinstance(postgres_bench.store, PostgresStore)
    with pytest.raises(StoreError) as refused:
        await postgres_bench.store._database.value("zone_available", "not a uuid")
    assert not refused.value.retryable


async def test_a_promised_row_that_is_missing_is_an_error(postgres_bench: Bench) -> None:
    assert isinstance(postgres_bench.store, PostgresStore)
    with pytest.raises(StoreError, match="no row"):
        await postgres_bench.store._database.row("facility_setup", uuid4())


async def test_a_policy_that_nobody_understands_names_its_key(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    await owner_of.execute(
        """UPDATE gate.lanes SET policy = '{"passage_seconds_max": "soon"}' WHERE id = $1""",
        gate.site.entry,
    )
    with pytest.raises(SetupError, match=r"entry-1: policy: passage_seconds_max") as refused:
        await postgres_bench.store.facility_setup(gate.site.id)
    assert not refused.value.retryable
    assert refused.value.slug == gate.site.setup.slug


@pytest.mark.parametrize(
    ("table", "column", "value", "expected"),
    [
        ("lanes", "opening", '{"hours": [{"from": "6"}]}', "lane entry-1: opening: hours.0.from"),
        ("facility_settings", "opening", '{"exemt": []}', "lane entry-1: opening: exemt"),
        ("facility_settings", "display", '{"language": "?"}', "display: language"),
    ],
)
async def test_opening_hours_and_displays_that_nobody_understands_name_their_key(
    table: str,
    column: str,
    value: str,
    expected: str,
    postgres_bench: Bench,
    owner_of: asyncpg.Connection,
) -> None:
    gate = await postgres_bench.gate()
    await owner_of.execute(
        f"UPDATE gate.{table} SET {column} = '{value}' WHERE facility_id = $1", gate.site.id
    )
    with pytest.raises(SetupError, match=expected):
        await postgres_bench.store.facility_setup(gate.site.id)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("facility_settings", "policy"),
        ("facility_settings", "opening"),
        ("facility_settings", "display"),
        ("lanes", "policy"),
        ("lanes", "opening"),
        ("devices", "options"),
    ],
)
@pytest.mark.parametrize("value", ["[1]", "null", "7"])
async def test_what_is_no_object_is_not_stored_as_one(
    table: str, column: str, value: str, postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    with pytest.raises(asyncpg.CheckViolationError, match=f"{table}_{column}_check"):
        await owner_of.execute(
            f"UPDATE gate.{table} SET {column} = '{value}' WHERE facility_id = $1", gate.site.id
        )


@pytest.mark.direct("is about what a new session begins with")
async def test_the_session_is_not_relied_on(fresh_bench: Bench) -> None:
    """A server whose roles get a foreign zone, date style and search path decides the same."""
    assert fresh_bench.address is not None
    gate = await fresh_bench.gate(make_site())
    connection = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        name = await connection.fetchval("SELECT quote_ident(current_database())")
        await connection.execute(f"ALTER DATABASE {name} SET search_path = ''")
        await connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'")
        await connection.execute(f"ALTER DATABASE {name} SET datestyle = 'German, DMY'")
    finally:
        await connection.close()
    settings = DatabaseSettings(fresh_bench.address.dsn)
    async with open_store(settings, rng=random.Random(1)) as store:
        site, fence = gate.site, gate.fence
        gate = replace(gate, store=store)
        request = await gate.entry()
        admitted = await store.admit(site.id, fence, request)
        assert admitted.stay == request.stay
        at = NOW + timedelta(hours=1)
        snapshot = await store.plate_snapshot(site.id, Plate("BAB123"), Direction.EXIT, at)
        assert str(snapshot.price) == "2.50 EUR"
        released = await store.release(site.id, fence, await gate.departure(request.stay, at=at))
        assert released.outcome is ReleaseOutcome.RELEASED
        await store.expire_commands(site.id, fence, at + timedelta(hours=1))
        assert await store.pending_passages(site.id, NOW)


# ── the table of errors ─────────────────────────────────────────────────────────────────────


def server_error(state: str) -> asyncpg.PostgresError:
    error: asyncpg.PostgresError = asyncpg.PostgresError.new(
        {"S": "ERROR", "C": state, "M": "message"}
    )
    return error


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        *[
            (server_error(state), True)
            for state in (
                "08000", "08003", "08006", "08P01", "57P01", "57P02", "57P03", "57P05", "40001",
                "40P01", "55P03", "53100", "53200", "53300", "25006", "25P03", "25P04", "57014",
                "58030",
            )
        ],
        *[
            (server_error(state), False)
            for state in (
                "23505", "23P01", "42P01", "42501", "22023", "28P01", "3D000", "22021", "54000",
            )
        ],
        *[(server_error(state), False) for state in ("GT002", "GT003", "GT010", "GT011", "GT012")],
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InternalClientError("got result for unknown protocol state"), True),
        (ConnectionRefusedError("refused"), True),
        (ConnectionResetError(), True),
        (FileNotFoundError("no socket"), True),
        (TimeoutError(), True),
    ],
    ids=lambda value: getattr(value, "sqlstate", None) or type(value).__name__,
)  # fmt: skip
def test_what_is_worth_another_try(error: Exception, retryable: bool) -> None:
    failure = translated(error, "admit")
    assert isinstance(failure, StoreError)
    assert failure.retryable is retryable
    assert str(failure).startswith("admit: ")
    assert len(str(failure)) > len("admit: ")


def constraint_error(state: str, name: str | None) -> asyncpg.PostgresError:
    fields = {"S": "ERROR", "C": state, "M": "message"} | ({"n": name} if name else {})
    error: asyncpg.PostgresError = asyncpg.PostgresError.new(fields)
    return error


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (server_error("22021"), True),  # no such character
        (server_error("22008"), True),  # no such time
        (server_error("54000"), True),  # too long for the index
        (constraint_error("23514", "events_status_check"), True),
        (asyncpg.DataError("expected a uuid"), True),
        (constraint_error("23514", None), False),  # no partition for the row
        (constraint_error("23503", "events_device_id_fkey"), False),
        *[(server_error(state), False) for state in ("57014", "42883", "42501", "23502", "XX001")],
        (asyncpg.InterfaceError("connection is closed"), False),
    ],
    ids=str,
)
def test_what_blames_a_value(error: Exception, refused: bool) -> None:
    assert isinstance(translated(error, "append_events"), RefusedValue) is refused


def argument_error(text: str) -> Exception:
    """What asyncpg raises when an argument cannot be sent: not PostgreSQL's error of that name."""
    return asyncpg.exceptions._base.DataError(text)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (server_error("22021"), "a character that cannot be stored"),
        (server_error("22P99"), "a value that cannot be stored (22P99)"),
        (constraint_error("23514", "payments_amount_check"), "the rule payments_amount_check"),
        (argument_error("invalid input for query argument $3: 'x'"), "argument $3"),
        (argument_error("expected a uuid"), "an argument"),
    ],
    ids=str,
)
def test_a_value_is_refused_in_words_of_ours(error: Exception, words: str) -> None:
    refused = str(translated(error, "append_events"))
    assert refused.startswith("append_events: ")
    assert words in refused
    assert str(error) not in refused


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        ("3D000", "gated db init"),
        ("42P01", "gated db init"),
        ("42883", "gated db upgrade"),
        ("42501", "gated check"),
    ],
)
def test_what_an_operator_has_to_do_is_named(state: str, remedy: str) -> None:
    failure = translated(server_error(state), "facility_ids")
    assert isinstance(failure, NotSetUp)
    assert f"`{remedy}`" in str(failure)


def test_an_old_fence_is_not_a_store_error() -> None:
    assert isinstance(translated(server_error("GT001"), "admit"), FencedOut)


def test_only_referees_are_outcomes() -> None:
    other: asyncpg.PostgresError = asyncpg.PostgresError.new(
        {"S": "ERROR", "C": "23505", "M": "message", "n": "bookings_pkey"}
    )
    assert refusal(other) is None
    assert refusal(ValueError()) is None
