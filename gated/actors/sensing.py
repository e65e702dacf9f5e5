"""Keeps what zone counters and spot sensors say, in the order in which it came.

Nothing opens because of it: drift and offences are looked for by those who look now and then.
"""

import asyncio
import random

import structlog

from gated.actors.messages import SensorHere
from gated.actors.persistence import Persistence
from gated.core.ids import Fence
from gated.core.site import FacilitySetup
from gated.ports import Store
from gated.records import SensorOutcome, SpotSeen

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Sensing:
    """The sensors of one facility that belong to no lane."""

    def __init__(
        self, setup: FacilitySetup, fence: Fence, store: Store, rng: random.Random
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._persistence = Persistence(setup, fence, store, rng)
        # Hundreds of spots may speak at once; decisions need the connections more than they do.
        self._turn = asyncio.Lock()

    async def note(self, message: SensorHere) -> None:
        """Write it down, however long that takes. Raises FencedOut, and StoreError that no retry
        can mend."""
        word = message.word
        async with self._turn:
            outcome = await self._persistence.written(
                lambda: self._store.note_sensor(
                    self._setup.id, self._fence, message.event, word, message.heard_at
                )
            )
        if outcome is SensorOutcome.UNKNOWN:
            _log.warning(
                "sensor.unknown",
                facility=self._setup.slug,
                zone=word.zone,
                spot=word.number if isinstance(word, SpotSeen) else None,
                correlation=message.event,
            )
