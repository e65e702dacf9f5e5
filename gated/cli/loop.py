"""Runs a coroutine on the event loop of production: uvloop, where it is built for the platform."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_until_complete(work: Coroutine[Any, Any, Result]) -> Result:
    """Like `asyncio.run`."""
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop  # noqa: PLC0415 - not built for Windows

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
