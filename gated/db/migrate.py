"""Brings a database to the schema that this version of gated needs, and says where it stands.

Each numbered migration runs in a transaction of its own; then, in one more, all functions and
grants are applied anew and the coming months' partitions are made. A lock inside each transaction
lets one upgrade at a time work on a database, so any number may be started at once, also behind a
pooler. Owner's rights are needed; the daemon itself never changes the schema.

Daemons go on meanwhile, and come first: a step that meets them at a table lets go of all that it
holds, and is taken again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from gated.core.errors import ConfigError, StoreError
from gated.db.script import Statement, place, statements
from gated.db.sql import Migration, Script, functions, grants, migrations, sql, superseded

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"  # the class itself has no []
Result = TypeVar("Result")

CONNECT_SECONDS_MAX = 10.0
STEP_ATTEMPTS_MAX = 10
SERVER_VERSION_MIN = 15
REPEATED = "functions and grants"
PLATFORM_TABLES = (
    "users",
    "vehicles",
    "facilities",
    "zones",
    "parking_spots",
    "bookings",
    "pricing_rules",
    "payments",
    "subscriptions",
    "user_subscriptions",
    "violations",
    "facility_staff",
    "audit_logs",
)


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that a database holds."""

    version: int
    name: str
    digest: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """Where a database stands. `pending` are the names of what an upgrade would apply."""

    database: str
    server: str
    applied: tuple[Applied, ...]
    pending: tuple[str, ...]

    @property
    def current(self) -> bool:
        return not self.pending


def _ignore(_: str) -> None:
    pass


async def init(dsn: str, *, on_step: Callable[[str], None] | None = None) -> list[str]:
    """Make the database that `dsn` names if it is missing, then `upgrade` it.

    Raises what `upgrade` raises, and StoreError when the database cannot be made.
    """
    step = on_step or _ignore
    try:
        async with _connected(dsn):
            pass
    except _NoSuchDatabaseError as missing:
        async with _connected(dsn, database="postgres") as connection:
            try:
                await connection.execute(
                    await connection.fetchval(sql("database_create"), missing.database)
                )
            except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                pass  # someone else has just made it
            except asyncpg.PostgresError as error:
                raise StoreError(
                    f"the database {missing.database!r} cannot be created: {error}",
                    retryable=False,
                ) from error
        step(f"created the database {missing.database}")
    return await upgrade(dsn, on_step=on_step)


async def upgrade(
    dsn: str,
    *,
    on_step: Callable[[str], None] | None = None,
    known: Sequence[Migration] | None = None,
) -> list[str]:
    """Apply what is missing; answers the names of the migrations that this call applied.

    `on_step` hears of each step done. `known` are the migrations of this version, unless a test
    brings its own. Raises ConfigError for a connection string that leads nowhere and for a
    database that is not gated's or newer than this version, StoreError for a migration that
    failed (its transaction is undone; those before it stand).
    """
    step = on_step or _ignore
    wanted = migrations() if known is None else tuple(known)
    done: list[str] = []
    async with _connected(dsn) as connection:
        await _check_server(connection)
        for migration in wanted:
            if await _patiently(partial(_apply, connection, migration, wanted)):
                done.append(migration.name)
                step(f"applied {migration.name}")
        await _patiently(partial(_repeat, connection, wanted))
        step(f"applied {REPEATED}")
    return done


async def status(dsn: str) -> Status:
    """Where the database stands, without changing it; the daemon's role may ask too.

    Raises ConfigError for a connection string that leads nowhere and for a database that is
    newer than this version or was changed behind its back.
    """
    wanted = migrations()
    async with _connected(dsn) as connection:
        applied = await _applied(connection)
        _check_history(applied, wanted)
        versions = {row.version for row in applied}
        pending = [one.name for one in wanted if one.version not in versions]
        repeated = next((row.digest for row in applied if row.version == 0), "")
        if repeated != _digest(_repeated()):
            pending.append(REPEATED)
        return Status(
            database=await connection.fetchval("SELECT current_database()"),
            server=await connection.fetchval("SHOW server_version"),
            applied=tuple(row for row in applied if row.version > 0),
            pending=tuple(pending),
        )


# ── one step ────────────────────────────────────────────────────────────────────────────────


async def _patiently(step: Callable[[], Awaitable[Result]]) -> Result:
    """Take a step, again where others had a table that it needs.

    It waits for one second at a time (`migration_begin`): whoever comes to that table later waits
    behind it, and the daemon's own patience is two.
    """
    attempt = 1
    while True:
        try:
            return await step()
        except StoreError as error:
            if not error.retryable or attempt == STEP_ATTEMPTS_MAX:
                raise
        await _let_others_on()
        attempt += 1


async def _let_others_on() -> None:
    await asyncio.sleep(0.5)


async def _apply(connection: Connection, migration: Migration, wanted: Sequence[Migration]) -> bool:
    """Apply one migration unless it is there; False if it is."""
    async with connection.transaction():
        await connection.execute(sql("migration_begin"))
        applied = await _applied(connection)
        _check_history(applied, wanted)
        if any(row.version == migration.version for row in applied):
            return False
        if not applied:
            await _check_empty(connection)
        await _run(connection, migration.script)
        await connection.execute(
            sql("migration_note"), migration.version, migration.name, migration.script.digest
        )
    return True


async def _repeat(connection: Connection, wanted: Sequence[Migration]) -> None:
    """Apply functions and grants anew, all or none."""
    scripts = _repeated()
    async with connection.transaction():
        await connection.execute(sql("migration_begin"))
        _check_history(await _applied(connection), wanted)
        for script in scripts:
            await _run(connection, script)
        await connection.fetchval(sql("partitions_ensure"))
        await connection.execute(sql("migration_note"), 0, REPEATED, _digest(scripts))


async def _run(connection: Connection, script: Script) -> None:
    for statement in statements(script.text):
        try:
            await connection.execute(statement.text)
        except asyncpg.PostgresError as error:
            raise _failure(script, statement, error) from error


def _failure(script: Script, statement: Statement, error: asyncpg.PostgresError) -> StoreError:
    """The error with its place in the file: the server's position, else the statement's first."""
    position = getattr(error, "position", None)
    offset = statement.offset + (int(position) - 1 if position else 0)
    extra = [getattr(error, name, None) for name in ("detail", "hint", "context")]
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        extra.append("upgrades need the rights of the database's owner, not the daemon's")
    in_the_way = isinstance(error, (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError))
    if in_the_way:
        extra.append("others are at this table (a dump, a report?): start it again without them")
    lines = "".join(f"\n  {line}" for line in extra if line)
    where = place(script.text, offset)
    return StoreError(f"gated/db/{script.name}:{where}: {error}{lines}", retryable=in_the_way)


def _repeated() -> tuple[Script, ...]:
    return (superseded(), *functions(), grants())


def _digest(scripts: Sequence[Script]) -> str:
    return hashlib.sha256("".join(script.digest for script in scripts).encode()).hexdigest()


# ── checks ──────────────────────────────────────────────────────────────────────────────────


async def _applied(connection: Connection) -> list[Applied]:
    if not await connection.fetchval(sql("migrations_known")):
        return []
    return [Applied(**row) for row in await connection.fetch(sql("migrations_applied"))]


def _check_history(applied: Sequence[Applied], wanted: Sequence[Migration]) -> None:
    by_version = {migration.version: migration for migration in wanted}
    for row in applied:
        if row.version == 0:
            continue
        migration = by_version.get(row.version)
        if migration is None:
            raise ConfigError(
                f"the database is newer than this gated: it holds the migration {row.name}, and "
                f"this version knows {len(by_version)}. Install the newer gated"
            )
        if migration.script.digest != row.digest:
            raise ConfigError(
                f"the migration {row.name} was changed after it had been applied on "
                f"{row.applied_at:%Y-%m-%d}: restore the file, and put the change into a new one",
                place=f"gated/db/{migration.script.name}",
            )


async def _check_server(connection: Connection) -> None:
    major = connection.get_server_version().major
    if major < SERVER_VERSION_MIN:
        raise ConfigError(
            f"PostgreSQL {major} is too old: gated needs {SERVER_VERSION_MIN} or later"
        )
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise ConfigError(f"the database's encoding is {encoding}: gated needs UTF8")


async def _check_empty(connection: Connection) -> None:
    rows = await connection.fetch(sql("migration_obstacles"), list(PLATFORM_TABLES))
    if names := ", ".join(row[0] for row in rows if row[0] != "gate.migrations"):
        database = await connection.fetchval("SELECT current_database()")
        raise ConfigError(
            f"the database {database!r} already holds {names}, which gated did not make. "
            "Name another database in the connection string, or move these tables out of the way "
            "(ALTER TABLE … SET SCHEMA …) and bring their rows in afterwards"
        )


# ── the connection ──────────────────────────────────────────────────────────────────────────


class _NoSuchDatabaseError(ConfigError):
    def __init__(self, database: str) -> None:
        self.database = database
        super().__init__(f"there is no database {database!r}: `gated db init` makes it")


@asynccontextmanager
async def _connected(dsn: str, *, database: str | None = None) -> AsyncIterator[Connection]:
    """A connection that keeps nothing in its session, for poolers. Messages show no password."""
    named = database or database_name(dsn)
    try:
        connection: Connection = await asyncpg.connect(
            dsn, database=named, timeout=CONNECT_SECONDS_MAX, statement_cache_size=0
        )
    except asyncpg.InvalidCatalogNameError as error:
        raise _NoSuchDatabaseError(named) from error
    except (ValueError, asyncpg.InterfaceError) as error:
        raise ConfigError(f"the connection string is not understood: {error}") from error
    except TimeoutError as error:
        raise ConfigError(
            f"PostgreSQL does not answer within {CONNECT_SECONDS_MAX:.0f} s"
        ) from error
    except (OSError, asyncpg.PostgresError) as error:
        raise ConfigError(f"PostgreSQL cannot be reached: {error}") from error
    try:
        yield connection
    except asyncpg.PostgresError as error:
        raise StoreError(f"PostgreSQL refused: {error}", retryable=False) from error
    except (OSError, asyncpg.InterfaceError) as error:
        raise StoreError(f"the connection to PostgreSQL broke: {error}", retryable=True) from error
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)


def database_name(dsn: str) -> str:
    """The database that a connection string names. Raises ConfigError when it names none."""
    try:
        parts = urlsplit(dsn)
    except ValueError as error:
        raise ConfigError(f"the connection string is not understood: {error}") from error
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ConfigError("a connection string begins with postgresql://")
    query = parse_qs(parts.query)
    found = parts.path.lstrip("/") or (query.get("dbname") or query.get("database") or [""])[-1]
    if not found:
        raise ConfigError("the connection string names no database: postgresql://…/NAME")
    return unquote(found)
