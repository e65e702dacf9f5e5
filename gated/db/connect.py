"""One connection for one piece of work, for commands that need no pool.

Errors come as ConfigError where the connection string is wrong and as StoreError where the
server cannot be had; neither shows a password.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from gated.core.errors import ConfigError, StoreError

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CONNECT_SECONDS_MAX = 10.0


@asynccontextmanager
async def connected(
    dsn: str, *, command_timeout_seconds: float = 60.0
) -> AsyncIterator[Connection]:
    """A connection that keeps nothing in its session, so that any pooler may stand between."""
    try:
        connection: Connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_SECONDS_MAX,
            command_timeout=command_timeout_seconds,
            statement_cache_size=0,
        )
    except asyncpg.InvalidCatalogNameError as error:
        raise StoreError(f"{error}: `gated db init` makes it", retryable=False) from error
    except asyncpg.InterfaceError as error:
        raise ConfigError(f"the connection string is not understood: {error}") from error
    except (ValueError, OverflowError):
        # The standard library's own: it would quote what it took for the port, a password's end.
        raise ConfigError(
            "the connection string is not understood: expected postgresql://user@host:port/name,"
            " with / : @ in a password written in percent encoding"
        ) from None
    except TimeoutError as error:
        raise StoreError(
            f"PostgreSQL does not answer within {CONNECT_SECONDS_MAX:.0f} s", retryable=True
        ) from error
    except (OSError, asyncpg.PostgresError) as error:
        raise StoreError(f"PostgreSQL cannot be reached: {error}", retryable=True) from error
    try:
        yield connection
    finally:
        await connection.close()
