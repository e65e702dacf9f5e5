"""Waiting for a state that is seen only by looking: never for a duration, always with a bound."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

POLL_SECONDS = 0.01
SECONDS_MAX = 15.0

T = TypeVar("T")


async def eventually(
    look: Callable[[], T | None],
    what: str,
    *,
    seconds_max: float = SECONDS_MAX,
    otherwise: Callable[[], object] | None = None,
) -> T:
    """The first true answer of `look`; fails, naming `what`, when there is none in time.

    `otherwise` tells what there is instead, for the message of the failure.
    """

    async def asked() -> T | None:
        return look()

    return await eventually_asked(asked, what, seconds_max=seconds_max, otherwise=otherwise)


async def eventually_asked(
    ask: Callable[[], Coroutine[None, None, T | None]],
    what: str,
    *,
    seconds_max: float = SECONDS_MAX,
    otherwise: Callable[[], object] | None = None,
) -> T:
    """As `eventually`, where looking takes a question to somebody else."""
    deadline = time.monotonic() + seconds_max
    while True:
        if answer := await ask():
            return answer
        if time.monotonic() > deadline:
            instead = f"; instead: {otherwise()}" if otherwise else ""
            raise AssertionError(f"not within {seconds_max:.0f} s: {what}{instead}")
        await asyncio.sleep(POLL_SECONDS)
