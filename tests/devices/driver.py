"""A session with everything it reports written down, and ways to wait for what it reports."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from gated.devices.mqtt import (
    BrokerSettings,
    LinkDown,
    LinkEvent,
    LinkUp,
    Publication,
    Received,
    Session,
)


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for a state; fails naming it."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the state did not come"
        await asyncio.sleep(0.005)


class Driver:
    """Runs one session. With `ack` every message is acknowledged as it comes."""

    def __init__(
        self,
        port: int,
        client_id: str,
        *,
        ack: bool = True,
        filters: Sequence[tuple[str, int]] = (("in/#", 1),),
        will: Publication | None = None,
        birth: Publication | None = None,
        on_received: Callable[[Received], None] | None = None,
        seed: int = 1,
        **settings: Any,
    ) -> None:
        settings = {"heartbeat_seconds": 60.0, "reconnect_delay_seconds_max": 0.4} | settings
        self.received: list[Received] = []
        self.events: list[LinkEvent] = []
        self._ack = ack
        self._hook = on_received
        self.session = Session(
            BrokerSettings("127.0.0.1", port, **settings),
            client_id=client_id,
            filters=filters,
            will=will,
            birth=birth,
            on_received=self._take,
            on_link=self.events.append,
            clock=RealClock(),
            random=random.Random(seed),
            heartbeat_topic=f"beat/{client_id}",
        )
        self.task = asyncio.create_task(self.session.run(), name=f"run {client_id}")

    def _take(self, received: Received) -> None:
        self.received.append(received)
        if self._hook is not None:
            self._hook(received)
        if self._ack:
            self.session.acknowledge(received)

    @property
    def payloads(self) -> list[bytes]:
        return [received.payload for received in self.received]

    @property
    def ups(self) -> list[LinkUp]:
        return [event for event in self.events if isinstance(event, LinkUp)]

    @property
    def downs(self) -> list[LinkDown]:
        return [event for event in self.events if isinstance(event, LinkDown)]

    async def up(self, count: int = 1) -> "Driver":
        """Wait until the session has been up so often, and is."""
        await until(lambda: self.task.done() or (len(self.ups) >= count and self.session.connected))
        assert not self.task.done(), self.task
        return self

    async def cancel(self) -> None:
        """End `run()` the hard way; one that has ended by itself is its test's affair."""
        if self.task.cancel():
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def say(self, topic: str, *payloads: bytes, retain: bool = False) -> None:
        for payload in payloads:
            await self.session.publish(Publication(topic, payload, retain=retain))
