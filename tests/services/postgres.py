"""PostgreSQL servers of our own: the wheel's, and the system's programs on a cluster we make."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gated.core.errors import ConfigError
from gated.embedded.account import unprivileged_account
from gated.embedded.postgres import (
    LOCALE_BUILTIN,
    PostgresAddress,
    prepare_cluster,
    reachable_programs,
    start_postgres,
    wheel_programs,
)
from gated.embedded.process import GuardedProcess
from tests.services.presence import missing
from tests.services.processes import wait_until

VERSION_MIN = 15
# Nobody needs the data after a crash of this machine; a crash of the server alone loses nothing.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
}


class PostgresServer:
    """A running test server. Tests that stop or kill it leave it running again."""

    def __init__(self, name: str, programs: Path, directory: Path, locale: Sequence[str]) -> None:
        self.name = name
        self.programs = programs
        self.directory = directory
        self._account = unprivileged_account()
        prepare_cluster(directory, programs=programs, account=self._account, locale=locale)
        self._process = self._started()

    def _started(self) -> GuardedProcess:
        return start_postgres(
            self.directory, self.socket_directory, self.programs, self._account, SETTINGS
        )

    @property
    def socket_directory(self) -> Path:
        return self.directory / "postgres"

    @property
    def socket(self) -> Path:
        return self.socket_directory / ".s.PGSQL.5432"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._process.pid

    @property
    def dsn(self) -> str:
        return self.dsn_for("postgres")

    def dsn_for(self, database: str, user: str = "postgres") -> str:
        address = PostgresAddress(self.socket_directory, self.pid, self.directory / "postgres.log")
        return address.dsn_for(database, user)

    def start(self) -> None:
        """Start it, unless it runs. After a kill its last children may hold its memory a moment."""

        def started() -> bool:
            try:
                self._process = self._started()
            except ConfigError as error:
                if "still in use" not in str(error) and "lock file" not in str(error):
                    raise
                return False
            return True

        if not self._process.running():
            wait_until(started, f"{self.name} starts again")

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        """The postmaster dies by SIGKILL; its children notice and follow."""
        self._process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()


@contextmanager
def embedded_server(directory: Path) -> Iterator[PostgresServer]:
    programs = reachable_programs(wheel_programs(), directory, unprivileged_account())
    yield from _running(PostgresServer("embedded", programs, directory, LOCALE_BUILTIN))


@contextmanager
def system_server(directory: Path) -> Iterator[PostgresServer]:
    programs = system_programs()
    yield from _running(PostgresServer("system", programs, directory, ["--locale=C.UTF-8"]))


def _running(server: PostgresServer) -> Iterator[PostgresServer]:
    try:
        yield server
    finally:
        server.stop()


def system_programs() -> Path:
    """The newest PostgreSQL in Debian's or Red Hat's place; `GATED_TEST_POSTGRES_BIN` overrides."""
    if chosen := os.environ.get("GATED_TEST_POSTGRES_BIN"):
        return Path(chosen)
    found = [
        (int(version), path)
        for parent, pattern in (("/usr/lib/postgresql", "*/bin"), ("/usr", "pgsql-*/bin"))
        for path in Path(parent).glob(pattern)
        if (version := path.parent.name.removeprefix("pgsql-")).isdigit()
        and int(version) >= VERSION_MIN
        and (path / "postgres").exists()
    ]
    if not found:
        missing(f"a system PostgreSQL, version {VERSION_MIN} or later")
    return max(found)[1]
