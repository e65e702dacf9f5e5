"""The server of the benchmark, the settings that it runs with, and whether its data can be kept.

Loading is done with durability off, measuring with durability on; what a kept directory holds is
said by a file in it, which is missing while the data are anything but whole.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from rich.console import Console

from bench.db.shape import Platform
from gated.core.errors import ConfigError
from gated.db.connect import Connection, connected
from gated.db.sql import migrations
from gated.embedded import PostgresAddress, embedded_postgres_server

DATABASE = "gated_bench"
DAEMON_ROLE = "gated_daemon"
MARKER = "bench-db.json"
MARK = "bench-db"
# After that, most of what was reserved for the coming days would be over.
DATA_AGE_MAX = timedelta(days=3)
COMMAND_SECONDS_MAX = 3600.0

# On the command line, so that these win over what ALTER SYSTEM says; the others may be altered.
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "shared_buffers": "2GB",
        "effective_cache_size": "8GB",
        "maintenance_work_mem": "512MB",
        "max_wal_size": "16GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "max_connections": "200",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)
LOADING: Mapping[str, str] = MappingProxyType(
    {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
)
SHOWN = (*SETTINGS, *LOADING, "wal_sync_method", "io_method", "jit")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server of ours, and the directory that its data lie in."""

    postgres: PostgresAddress
    directory: Path

    @property
    def owner_dsn(self) -> str:
        return self.postgres.dsn_for(DATABASE)

    @property
    def daemon_dsn(self) -> str:
        return self.postgres.dsn_for(DATABASE, user=DAEMON_ROLE)

    def owner(self) -> AbstractAsyncContextManager[Connection]:
        """A connection of the superuser, with time for the whole of a table."""
        return connected(self.owner_dsn, command_timeout_seconds=COMMAND_SECONDS_MAX)


@contextmanager
def bench_server(data: Path | None, console: Console, *, keep: bool) -> Iterator[Server]:
    """The server for the duration of the block; its data are removed afterwards unless kept."""
    if data is None:
        with tempfile.TemporaryDirectory(prefix="gated-bench-", ignore_cleanup_errors=True) as name:
            directory = Path(name)
            # The server runs as another user where we are root, and must reach its directory.
            directory.chmod(0o755)
            with embedded_postgres_server(directory, settings=SETTINGS) as postgres:
                yield Server(postgres, directory)
        return
    _claim(data)
    try:
        with embedded_postgres_server(data, settings=SETTINGS) as postgres:
            yield Server(postgres, data)
    finally:
        if keep:
            console.print(f"[dim]the data stay in {data}[/dim]")
        else:
            shutil.rmtree(data)


def _claim(directory: Path) -> None:
    """A directory is ours if it is empty or was before: nothing else is ever removed."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()) and not (directory / MARK).exists():
        raise ConfigError(
            "the directory is not empty, and no earlier benchmark made it", place=str(directory)
        )
    (directory / MARK).touch()


# ── what a directory holds ──────────────────────────────────────────────────────────────────


def kept_platform(
    directory: Path, facilities: int, seed: int, now: datetime, made_by: str
) -> Platform | None:
    """The whole and young platform of this size and seed that lies there, if one does."""
    try:
        marker = json.loads((directory / MARKER).read_text())
    except FileNotFoundError:
        return None
    at = datetime.fromisoformat(marker["at"])
    if (marker["facilities"], marker["seed"], marker["made_by"]) != (
        facilities,
        seed,
        made_by,
    ) or now - at > DATA_AGE_MAX:
        return None
    return Platform(facilities, seed, at)


def mark_whole(directory: Path, platform: Platform, made_by: str) -> None:
    """The data that were loaded may be measured from now on, and measured again."""
    marker = {
        "facilities": platform.facilities,
        "seed": platform.seed,
        "at": platform.at.isoformat(),
        "made_by": made_by,
    }
    (directory / MARKER).write_text(json.dumps(marker, indent=2) + "\n")


@contextmanager
def at_risk(directory: Path) -> Iterator[None]:
    """Within the block the data are not what they were; if it ends badly, they are given up."""
    marker, aside = directory / MARKER, directory / f"{MARKER}.aside"
    marker.rename(aside)
    yield
    aside.rename(marker)


def made_by_now() -> str:
    """A digest of what decides how the data look: the migrations, and the modules that load."""
    digest = hashlib.sha256("".join(one.script.digest for one in migrations()).encode())
    for module in ("shape", "tables", "facility", "history"):
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return digest.hexdigest()


async def start_anew(server: Server) -> None:
    """No database, whatever was left there by a run that did not end or wanted another size."""
    (server.directory / MARKER).unlink(missing_ok=True)
    async with connected(server.postgres.dsn, command_timeout_seconds=COMMAND_SECONDS_MAX) as one:
        await one.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


# ── durability ──────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def careless(server: Server, console: Console) -> AsyncIterator[None]:
    """Durability off, for loading; on again afterwards, with everything on disk."""
    off = ", ".join(f"{name} = {value}" for name, value in LOADING.items())
    console.print(f"[dim]loading with {off}[/dim]")
    async with connected(server.postgres.dsn, command_timeout_seconds=COMMAND_SECONDS_MAX) as one:
        for name, value in LOADING.items():
            await one.execute(f"ALTER SYSTEM SET {name} = {value}")
        await one.execute("SELECT pg_reload_conf()")
        yield
        for name in LOADING:
            await one.execute(f"ALTER SYSTEM RESET {name}")
        await one.execute("SELECT pg_reload_conf()")
        await one.execute("CHECKPOINT")
        # What was written while fsync was off is nobody's to flush but the system's.
        os.sync()
    async with connected(server.postgres.dsn) as one:
        shown = [f"{name} = {await one.fetchval('SHOW ' + name)}" for name in LOADING]
    if not all(text.endswith("= on") for text in shown):
        raise SystemExit(f"durability is not back: {', '.join(shown)}")
    console.print(f"[dim]loaded; measuring with {', '.join(shown)}[/dim]")


async def shown_settings(connection: Connection) -> dict[str, str]:
    """The settings in force that a reader of the figures needs."""
    return {name: await connection.fetchval(f"SHOW {name}") for name in SHOWN}
