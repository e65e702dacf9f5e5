"""Time passes when nobody works, and stands still while an answer is awaited."""

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tests.sim.virtual import VirtualLoop, virtual_loop

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def test_a_day_of_sleep_takes_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(86_400)
        return virtual_loop().time()

    started = time.monotonic()
    assert run(main()) == 86_400
    assert time.monotonic() - started < 10


def test_what_is_due_first_happens_first() -> None:
    async def note(seconds: float, notes: list[float]) -> None:
        await asyncio.sleep(seconds)
        notes.append(virtual_loop().time())

    async def main() -> list[float]:
        notes: list[float] = []
        await asyncio.gather(*(note(seconds, notes) for seconds in (30, 10, 20)))
        return notes

    assert run(main()) == [10, 20, 30]


def test_time_stands_still_while_an_answer_is_awaited() -> None:
    async def main() -> tuple[float, list[float]]:
        loop, fired = virtual_loop(), list[float]()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        loop.call_later(1, lambda: fired.append(loop.time()))

        def answer_late() -> None:
            time.sleep(0.05)  # by somebody else's clock, which goes on
            theirs.send(b"!")

        with loop.awaited():
            thread = threading.Thread(target=answer_late)
            thread.start()
            await loop.sock_recv(ours, 1)
            seen = loop.time(), [*fired]
        thread.join()
        ours.close()
        theirs.close()
        return seen

    assert run(main()) == (0, [])


def test_a_wait_without_an_end_is_told() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing is left to happen"):
        run(main())
