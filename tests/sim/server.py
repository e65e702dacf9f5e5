"""A PostgreSQL of the simulation's own, in memory where there is some: it proves no durability."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from gated.embedded import PostgresAddress, embedded_postgres_server

# Everything is planned once, for any value: tables that begin empty have no statistics to plan by.
SETTINGS = MappingProxyType(
    {
        "plan_cache_mode": "force_generic_plan",
        "jit": "off",
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "1h",
        "shared_buffers": "512MB",
        # Each look has the statements planned anew; without any, what is dead is in the way.
        "autovacuum_naptime": "15s",
        "update_process_title": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)
MEMORY = Path("/dev/shm")


@contextmanager
def day_server() -> Iterator[PostgresAddress]:
    """The server for the duration of the block; its data are gone afterwards."""
    where = MEMORY if MEMORY.is_dir() and "TMPDIR" not in os.environ else None
    with tempfile.TemporaryDirectory(prefix="gated-day-", dir=where) as name:
        directory = Path(name)
        # The server runs as another user where we are root, and must reach its directory.
        directory.chmod(0o755)
        with embedded_postgres_server(directory, settings=SETTINGS) as server:
            yield server
