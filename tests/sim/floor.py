"""What the same number of calls costs where each of them does next to nothing: the day's floor."""

import asyncio
import time

import asyncpg

CALLS_MEASURED_MAX = 20_000


def floor_seconds(dsn: str, calls: int, connections: int) -> float:
    """How long so many one-row INSERTs take, each committed, over these connections at once.

    Measured on up to `CALLS_MEASURED_MAX` of them, the rest in proportion.
    """
    return asyncio.run(_inserts(dsn, min(calls, CALLS_MEASURED_MAX), connections)) * max(
        1.0, calls / CALLS_MEASURED_MAX
    )


async def _inserts(dsn: str, calls: int, connections: int) -> float:
    opened = [await asyncpg.connect(dsn) for _ in range(connections)]
    try:
        await opened[0].execute("CREATE TABLE floor (id integer, said text)")
        started = time.monotonic()
        await asyncio.gather(
            *(
                _insert(connection, range(first, calls, connections))
                for first, connection in enumerate(opened)
            )
        )
        return time.monotonic() - started
    finally:
        for connection in opened:
            await connection.close()


async def _insert(connection: "asyncpg.Connection[asyncpg.Record]", numbers: range) -> None:
    for number in numbers:
        await connection.execute("INSERT INTO floor VALUES ($1, $2)", number, "a vehicle")
