"""Where the desk's prices come from: a PostgreSQL of its own, or a transaction that is undone.

The first needs no set-up and leaves nothing behind; the second prices with the functions of the
database that it names, which may be an older gated's.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from gated.core.ids import FacilityId
from gated.db import tariffs
from gated.db.connect import Connection, connected
from gated.db.migrate import init
from gated.db.tariffs import Answer, Stay
from gated.embedded import PostgresAddress, embedded_postgres_server
from gated.tariff.file import TariffFile
from gated.tariff.row import rows

DATABASE = "gated_desk"
# Nothing has to outlive the desk, so nothing waits for the disk.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "10",
    "jit": "off",  # many short calls of functions, which compiling does not pay for
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Before any stay that somebody may want to price, and a time that every zone has.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
STAYS_PER_QUERY = 500
QUERY_SECONDS_MAX = 600.0
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
MEMORY_BYTES_MIN = 2**30


class Till:
    """One tariff file, loaded: prices stays by it."""

    def __init__(
        self, connection: Connection, facility: FacilityId, rules: dict[UUID, str]
    ) -> None:
        self._connection = connection
        self._facility = facility
        self.rules = rules
        """The names of the file's tariffs by the ids that prices name."""

    async def price(
        self, stays: Sequence[Stay], on_priced: Callable[[int], None] = lambda _: None
    ) -> list[Answer]:
        """An answer for each stay, in their order. `on_priced` hears of each piece of the work.

        Raises StoreError when the database cannot be had.
        """
        answers: list[Answer] = []
        for start in range(0, len(stays), STAYS_PER_QUERY):
            part = stays[start : start + STAYS_PER_QUERY]
            answers += await tariffs.price(self._connection, self._facility, part)
            on_priced(len(part))
        return answers


class Desk:
    """A database in which tariff files can be loaded side by side, until the desk closes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(self, file: TariffFile) -> Till:
        """The file as a facility of its own; its tariffs have always been in force."""
        facility = await tariffs.add_facility(
            self._connection,
            slug=f"desk-{uuid.uuid4().hex}",
            name="the tariff desk",
            time_zone=file.facility.time_zone,
            currency=file.facility.currency,
            vehicle_type_default=file.facility.vehicle_type_default,
            days=[(day.day, day.kind, day.name) for day in file.calendar],
        )
        rules = {}
        for row in rows(file):
            rule = await tariffs.add_rule(
                self._connection,
                facility,
                name=row.name,
                strategy=row.strategy,
                config=row.config,
                priority=row.priority,
                free_minutes=row.free_minutes,
                valid_from=LONG_AGO,
            )
            rules[rule] = row.name
        return Till(self._connection, facility, rules)


def _room() -> Path | None:
    """Where Linux keeps files in memory, if there is room and programs may be started there; not
    where TMPDIR says otherwise.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN else None


@contextmanager
def _server(on_step: Callable[[str], None]) -> Iterator[PostgresAddress]:
    on_step("starting a PostgreSQL of our own")
    with tempfile.TemporaryDirectory(prefix="gated-desk-", dir=_room()) as name:
        directory = Path(name)
        # The server runs as another user where we are root, and must reach its own directory.
        directory.chmod(0o755)
        with embedded_postgres_server(directory / "postgres", settings=SETTINGS) as address:
            yield address


@asynccontextmanager
async def opened(
    dsn: str | None = None, *, on_step: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Desk]:
    """A desk until the block ends, however it ends; nothing of it is left.

    Without `dsn` it takes about a second to open, in which nothing else runs. `on_step` hears
    what is being done. Raises ConfigError where no server can be started and for a wrong `dsn`,
    StoreError when the database cannot be had.
    """
    with ExitStack() as stack:
        address = dsn
        if address is None:
            address = stack.enter_context(_server(on_step)).dsn_for(DATABASE)
            on_step("making the database")
            await init(address)
        async with connected(address, command_timeout_seconds=QUERY_SECONDS_MAX) as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield Desk(connection)
            finally:
                if not connection.is_closed():
                    await transaction.rollback()
