"""Loads the platform by COPY, over two connections whose rows two processes make.

The sessions run as replicas do: no triggers, no foreign keys. No index is dropped, so rows come
month by month, as they would have.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from datetime import date, timedelta
from io import BytesIO
from multiprocessing import get_context

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.db.facility import add_facility
from bench.db.history import add_month
from bench.db.server import COMMAND_SECONDS_MAX, Server, careless
from bench.db.shape import (
    BOOKINGS,
    BOOKINGS_PER_AUDIT_ROW,
    HISTORY_MONTHS,
    SPOTS,
    USERS,
    VEHICLES,
    Platform,
)
from bench.db.tables import Rows
from gated.db.connect import Connection, connected
from gated.db.migrate import init

CONNECTIONS = 2
# So many facilities are made and copied at a time: enough for a COPY, little to hold.
FACILITIES_AT_A_TIME = 20
PROBLEMS_SHOWN_MAX = 10


async def load(server: Server, platform: Platform, console: Console) -> float:
    """Fill a new database with the platform; the seconds that it took.

    Ends the benchmark when gate.verify_v1 finds the result contradictory.
    """
    began = time.monotonic()
    await init(server.owner_dsn)
    async with careless(server, console):
        async with server.owner() as connection:
            await _make_partitions(connection, platform)
        await asyncio.to_thread(_copy_all, server.owner_dsn, platform, console)
        async with server.owner() as connection:
            await connection.execute(
                "SELECT setval('gate.ticket_numbers', $1)", platform.tickets_given
            )
        await _vacuum(server, console)
    console.print("[dim]gate.verify_v1 …[/dim]")
    async with server.owner() as connection:
        await must_be_consistent(connection)
    return time.monotonic() - began


async def must_be_consistent(connection: Connection) -> float:
    """Ends the benchmark if something that is kept twice says two things; the seconds it took."""
    began = time.monotonic()
    await connection.execute("SET work_mem = '256MB'")
    problems = await connection.fetch("SELECT * FROM gate.verify_v1()")
    await connection.execute("RESET work_mem")
    if problems:
        shown = "\n".join(str(dict(row)) for row in problems[:PROBLEMS_SHOWN_MAX])
        raise SystemExit(f"gate.verify_v1 found {len(problems)} contradictions, such as\n{shown}")
    return time.monotonic() - began


async def _make_partitions(connection: Connection, platform: Platform) -> None:
    """The months of the history; those to come are there since the database is."""
    month = platform.history_begins.date().replace(day=1)
    while month <= platform.at.date():
        await connection.execute("SELECT gate.ensure_partitions_v1($1, 0)", month)
        month = _next(month)


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


# ── copying ─────────────────────────────────────────────────────────────────────────────────


def _copy_all(dsn: str, platform: Platform, console: Console) -> None:
    """Facilities first, then their history, month by month."""
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.completed:>11,.0f} of {task.total:,.0f} rows"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    per_booking = 3 + 1 / BOOKINGS_PER_AUDIT_ROW
    about = platform.facilities * (BOOKINGS * per_booking + SPOTS * 3 + USERS + VEHICLES)
    with (
        Progress(*columns, console=console) as progress,
        ProcessPoolExecutor(CONNECTIONS, mp_context=get_context("spawn")) as pool,
    ):
        bar = progress.add_task("facilities", total=about)
        jobs = [pool.submit(copy_facilities, dsn, platform, few) for few in _few(platform)]
        _watch(jobs, lambda rows: progress.advance(bar, rows))
        for month in range(HISTORY_MONTHS):
            name = f"{platform.month_begins(month):%B %Y} ({month + 1}/{HISTORY_MONTHS})"
            progress.update(bar, description=name)
            jobs = [pool.submit(copy_month, dsn, platform, month, few) for few in _few(platform)]
            _watch(jobs, lambda rows: progress.advance(bar, rows))
        progress.update(bar, total=progress.tasks[bar].completed, description="loaded")


def _few(platform: Platform) -> Iterator[Sequence[int]]:
    # At least one part for each connection.
    size = min(FACILITIES_AT_A_TIME, -(-platform.facilities // CONNECTIONS))
    for first in range(0, platform.facilities, size):
        yield range(first, min(first + size, platform.facilities))


def _watch(jobs: Sequence[Future[int]], on_rows: Callable[[int], None]) -> None:
    try:
        for job in as_completed(jobs):
            on_rows(job.result())
    except BaseException:
        for job in jobs:
            job.cancel()
        raise


def copy_facilities(dsn: str, platform: Platform, facilities: Sequence[int]) -> int:
    """Runs in a process of its own; answers how many rows it copied."""
    rows = Rows()
    for facility in facilities:
        add_facility(rows, platform, facility)
    return asyncio.run(_copy(dsn, rows))


def copy_month(dsn: str, platform: Platform, month: int, facilities: Sequence[int]) -> int:
    """Runs in a process of its own; answers how many rows it copied."""
    rows = Rows()
    for facility in facilities:
        add_month(rows, platform, month, facility)
    return asyncio.run(_copy(dsn, rows))


async def _copy(dsn: str, rows: Rows) -> int:
    connection = await asyncpg.connect(
        dsn,
        command_timeout=COMMAND_SECONDS_MAX,
        server_settings={"session_replication_role": "replica"},
    )
    try:
        async with connection.transaction():
            for table, lines in rows.lines.items():
                lines.append("")  # the last line ends too
                await connection.copy_to_table(
                    table.name,
                    schema_name=table.schema,
                    columns=table.columns,
                    source=BytesIO("\n".join(lines).encode()),
                    format="text",
                )
                lines.pop()
    finally:
        await connection.close()
    return sum(map(len, rows.lines.values()))


# ── afterwards ──────────────────────────────────────────────────────────────────────────────


async def _vacuum(server: Server, console: Console) -> None:
    """Statistics, and no row left whose first reader would have to write."""
    console.print("[dim]VACUUM (FREEZE, ANALYZE) …[/dim]")
    async with server.owner() as connection:
        rows = await connection.fetch(
            # A partitioned table has no rows of its own to clean, and its partitions have a turn
            # of their own.
            "SELECT CASE c.relkind WHEN 'p' THEN 'ANALYZE ONLY' ELSE 'VACUUM (FREEZE, ANALYZE)' END"
            " || format(' %I.%I', n.nspname, c.relname) AS statement"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'gate')"
            " ORDER BY pg_table_size(c.oid) DESC, c.relname"
        )
    statements = [row["statement"] for row in rows]

    async def work() -> None:
        async with connected(
            server.owner_dsn, command_timeout_seconds=COMMAND_SECONDS_MAX
        ) as connection:
            while statements:
                await connection.execute(statements.pop(0))

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
