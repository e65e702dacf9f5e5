"""What the tests of the actors share: waiting for a state, and the kernel's log as data."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import pytest
import structlog

Until = Callable[[Callable[[], bool]], Awaitable[None]]
Events = list[MutableMapping[str, Any]]


async def _until(reached: Callable[[], bool]) -> None:
    """Wait for a state that lasts at least half a second of virtual time."""
    step_seconds = 0.001
    async with asyncio.timeout(3600):
        while not reached():
            await asyncio.sleep(step_seconds)
            step_seconds = min(2 * step_seconds, 0.4)


@pytest.fixture
def until() -> Until:
    return _until


@pytest.fixture
def log_events() -> Iterator[Events]:
    with structlog.testing.capture_logs() as events:
        yield events
