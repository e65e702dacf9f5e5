"""Settles inbox rows that need no transaction of their own, in batches.

Order does not matter here, and a crash costs nothing: what was not settled is delivered again
and found to be old.
"""

import asyncio
import random

import structlog

from gated.core.effects import Outcome
from gated.core.errors import StoreError
from gated.core.ids import EventId, Fence
from gated.core.site import FacilitySetup
from gated.ports import Store

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
BATCH_COUNT_MAX = 500
RETRY_SECONDS_MAX = 5.0
GATHER_SECONDS = 0.05


class Settler:
    """Collects outcomes and writes them soon after; nothing waits for it."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        store: Store,
        rng: random.Random,
        *,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        """`gather_seconds`: how long it is waited for what may be written together."""
        self._facility = setup.id
        self._slug = setup.slug
        self._fence = fence
        self._store = store
        self._rng = rng
        self._gather_seconds = gather_seconds
        self._waiting: dict[EventId, Outcome] = {}
        self._wake = asyncio.Event()
        self._stopping = False

    def settle(self, event: EventId, outcome: Outcome) -> None:
        """Note what became of the row; the first word about a row stands."""
        self._waiting.setdefault(event, outcome)
        self._wake.set()

    async def run(self) -> None:
        """Write until told to stop. Raises FencedOut, and StoreError that no retry can mend."""
        delay = 0.0
        while True:
            await self._wake.wait()
            if not self._stopping:
                # One commit for what comes together, and none in the way of a decision.
                await asyncio.sleep(self._gather_seconds)
            elif not self._waiting:
                return
            batch = list(self._waiting.items())[:BATCH_COUNT_MAX]
            try:
                await self._store.settle_events(self._facility, self._fence, batch)
            except StoreError as error:
                if not error.retryable:
                    raise
                delay = min(RETRY_SECONDS_MAX, delay * 2 + 0.1)
                _log.warning(
                    "inbox.settle_delayed",
                    facility=self._slug,
                    error=str(error),
                    waiting=len(self._waiting),
                )
                await asyncio.sleep(delay * self._rng.random())
                continue
            delay = 0.0
            for event, _ in batch:
                self._waiting.pop(event, None)
            if not self._waiting and not self._stopping:
                self._wake.clear()

    def request_stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        self._wake.set()
