"""Connections, time limits and retries: how a named statement gets to PostgreSQL and back.

What the statements mean is the store's part. Nothing here relies on the session: it may be
another one at each call, behind pgBouncer in transaction mode.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import asyncpg

from gated.core.errors import StoreError
from gated.db.errors import FAILURES, translated
from gated.db.sql import sql

Record: TypeAlias = asyncpg.Record
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Answer = TypeVar("Answer")

ATTEMPTS_MAX = 4
PAUSE_SECONDS_MIN = 0.02
CLOSE_SECONDS_MAX = 2.0


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where PostgreSQL is and what may be asked of it.

    `command_timeout_seconds` bounds one attempt; a call with its retries takes at most twice as
    long. `statement_cache_size` must be 0 behind pgBouncer in transaction mode.
    """

    dsn: str
    pool_size_max: int = 10
    command_timeout_seconds: float = 2.0
    statement_cache_size: int = 0


class Database:
    """Runs named statements, each in a transaction of its own.

    Every call may be made again: the statements are idempotent by their ids and keys, so a
    retryable failure is retried here, even where the first attempt may have been committed.
    Raises `StoreError` and `FencedOut`.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        seconds_max: float,
        rng: random.Random,
        on_failure: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_failure` is told of each failed attempt: `retryable`, `permanent`, `fenced_out`."""
        self._pool = pool
        self._on_failure = on_failure
        self._seconds_max = seconds_max
        self._rng = rng

    async def row(self, name: str, *args: object) -> Record:
        """The one row that the statement promises."""
        row = await self.row_or_none(name, *args)
        if row is None:
            raise StoreError(f"{name}: no row", retryable=False)
        return row

    async def row_or_none(self, name: str, *args: object) -> Record | None:
        text = sql(name)
        return await self._call(name, lambda connection: connection.fetchrow(text, *args))

    async def rows(self, name: str, *args: object) -> Sequence[Record]:
        text = sql(name)
        return await self._call(name, lambda connection: connection.fetch(text, *args))

    async def value(self, name: str, *args: object) -> Any:
        """The first column of the first row."""
        text = sql(name)
        return await self._call(name, lambda connection: connection.fetchval(text, *args))

    async def _call(self, name: str, run: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 2 * self._seconds_max
        attempt = 0
        while True:
            attempt += 1
            try:
                limit = min(self._seconds_max, deadline - loop.time())
                return await self._attempt(run, limit)
            except FAILURES as error:
                failure = translated(error, name)
                self._on_failure(_kind(failure))
                pause = self._rng.uniform(PAUSE_SECONDS_MIN, PAUSE_SECONDS_MIN * 2**attempt)
                if (
                    not isinstance(failure, StoreError)
                    or not failure.retryable
                    or attempt == ATTEMPTS_MAX
                    or loop.time() + pause >= deadline
                ):
                    raise failure from error
            await asyncio.sleep(pause)

    async def _attempt(
        self, run: Callable[[Connection], Awaitable[Answer]], seconds: float
    ) -> Answer:
        """One attempt, bounded even on a server that has stopped answering.

        asyncpg's own time-outs ask the server to cancel and wait for it to do so; a hung one
        does not. Cutting the connection needs nobody's consent.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        connection = await self._pool.acquire(timeout=seconds)
        watchdog = loop.call_later(max(0.0, started + seconds - loop.time()), connection.terminate)
        try:
            return await run(connection)
        except asyncio.CancelledError:
            connection.terminate()
            raise
        except AttributeError as error:
            # asyncpg reaches for the protocol that a connection has lost, where the
            # connection was cut between two steps of a call (a process that slept, for one).
            if not connection.is_closed():
                raise
            raise TimeoutError(f"no answer in {seconds:g} s") from error
        finally:
            watchdog.cancel()
            await self._pool.release(connection)


def _kind(failure: Exception) -> str:
    if not isinstance(failure, StoreError):
        return "fenced_out"
    return "retryable" if failure.retryable else "permanent"


async def _nothing_to_reset(_: object) -> None:
    """asyncpg would spend a round trip on resetting session state, of which there is none."""


@asynccontextmanager
async def open_database(
    settings: DatabaseSettings,
    rng: random.Random,
    on_failure: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Database]:
    """A pool for the duration of the block. Connects when first used: the server may be away."""
    try:
        pool = await asyncpg.create_pool(
            settings.dsn,
            min_size=0,
            max_size=settings.pool_size_max,
            timeout=settings.command_timeout_seconds,
            statement_cache_size=settings.statement_cache_size,
            reset=_nothing_to_reset,
            # A new connection plans every statement anew, which costs its first decision some
            # 20 ms: none is closed for being idle, as a small site's are most of the time.
            max_inactive_connection_lifetime=0,
            # One of the few settings that pgBouncer passes on.
            server_settings={"application_name": "gated"},
        )
    except FAILURES as error:
        raise translated(error, "open") from error
    try:
        yield Database(
            pool,
            seconds_max=settings.command_timeout_seconds,
            rng=rng,
            on_failure=on_failure,
        )
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await pool.close()
        except TimeoutError:
            pool.terminate()
