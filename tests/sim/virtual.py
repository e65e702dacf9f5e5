"""Virtual time over a real database: an event loop whose clock stands still while anybody works.

A day then takes as long as its work. Unlike looptime's, this loop knows the calls that are under
way to a server (`awaited`): time moves on to the next timer only when nothing is ready to run
and no answer is awaited, so that whatever happens at an instant is over before the next one.
"""

import asyncio
import random
import selectors
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast
from uuid import UUID

import asyncpg

from gated.core.ids import uuid7
from gated.db.pool import Database, Record

Connection: TypeAlias = "asyncpg.Connection[Record]"

# What a server may take for one answer, by the real clock.
ANSWER_SECONDS_MAX = 60.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time` begins at 0 and is what the simulation says that it is."""

    def __init__(self) -> None:
        self._virtual_seconds = 0.0
        self._answers_awaited = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._virtual_seconds

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Within the block somebody waits for the world outside: time stands still."""
        self._answers_awaited += 1
        try:
            yield
        finally:
            self._answers_awaited -= 1

    @property
    def busy(self) -> bool:
        """Whether an answer of the world outside is awaited."""
        return self._answers_awaited > 0

    def advance(self, seconds: float) -> None:
        """Nothing is left to do now: it is that much later."""
        self._virtual_seconds += seconds


class _Selector(selectors.DefaultSelector):
    """Waits for sockets while an answer is awaited; else it is the time that moves."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if self._loop.busy:
            ready = super().select(ANSWER_SECONDS_MAX)
            if not ready:
                raise TimeoutError(f"no answer of the database in {ANSWER_SECONDS_MAX:g} s")
            return ready
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("nothing is left to happen, and somebody still waits")
        self._loop.advance(timeout)
        return []


def virtual_loop() -> VirtualLoop:
    """The loop that runs the caller."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """Both clocks follow the loop's; `epoch` is its zero on the wall."""

    loop: VirtualLoop
    epoch: datetime

    def now(self) -> datetime:
        return self.epoch + timedelta(seconds=self.loop.time())

    def monotonic(self) -> float:
        return self.loop.time()


@dataclass(frozen=True, slots=True)
class SeededIds:
    """Time-ordered ids, the same ones for the same seed."""

    clock: VirtualClock
    rng: random.Random

    def new(self) -> UUID:
        return uuid7(self.clock.now(), self.rng.randbytes(10))


class AwaitedDatabase(Database):
    """`Database`, with each call told to the loop, and counted."""

    def __init__(self, connections: "Connections", rng: random.Random) -> None:
        super().__init__(cast("Any", connections), seconds_max=ANSWER_SECONDS_MAX, rng=rng)
        self._loop = virtual_loop()
        self.calls = 0

    async def row_or_none(self, name: str, *args: object) -> Record | None:
        with self._called():
            return await super().row_or_none(name, *args)

    async def rows(self, name: str, *args: object) -> Sequence[Record]:
        with self._called():
            return await super().rows(name, *args)

    async def value(self, name: str, *args: object) -> Any:
        with self._called():
            return await super().value(name, *args)

    @contextmanager
    def _called(self) -> Iterator[None]:
        self.calls += 1
        with self._loop.awaited():
            yield


class Connections:
    """What `Database` asks of a pool, and no more: asyncpg's spends a tenth of the day on itself.

    A day has no connection that breaks, none that is idle too long and nothing to reset.
    """

    def __init__(self, opened: Sequence[Connection]) -> None:
        self._opened = opened
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in opened:
            self._idle.put_nowait(connection)

    async def acquire(self, *, timeout: float) -> Connection:
        return await self._idle.get()

    async def release(self, connection: Connection) -> None:
        self._idle.put_nowait(connection)
        # Who waits asks first, and the server works while this one goes on.
        await asyncio.sleep(0)

    async def close(self) -> None:
        for connection in self._opened:
            await connection.close()


@asynccontextmanager
async def awaited_database(
    dsn: str, rng: random.Random, *, connections: int
) -> AsyncIterator[AwaitedDatabase]:
    """The real database over connections of its own, for the duration of the block."""
    with virtual_loop().awaited():
        # asyncpg counts the age of a prepared statement by the loop's clock, which is ours.
        opened = Connections(
            [
                await asyncpg.connect(dsn, max_cached_statement_lifetime=0)
                for _ in range(connections)
            ]
        )
    try:
        yield AwaitedDatabase(opened, rng)
    finally:
        with virtual_loop().awaited():
            await opened.close()
