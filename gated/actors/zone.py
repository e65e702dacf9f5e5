"""One zone: it alone asks the database for its spots and gives them back, and knows its occupancy.

Which vehicle may come in, and which zone it is offered, is decided elsewhere; the database is
the referee of the spots.
"""

from collections.abc import Callable
from typing import assert_never

import structlog

from gated.actors.actor import Actor
from gated.actors.messages import (
    AdmitHere,
    CancelHere,
    CancelMoveHere,
    MoveHere,
    Recount,
    ReleaseHere,
    ZoneMessage,
    ZoneQuestion,
)
from gated.core.errors import StoreError
from gated.core.ids import FacilityId, Fence
from gated.core.site import ZoneSetup
from gated.ports import Clock, Store
from gated.records import ZoneCount, ZoneDrift

# Other writers (web shop, back office) change a zone too: it is counted anew this often.
RECOUNT_SECONDS = 30.0
MAILBOX_CAPACITY = 256

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ZoneActor(Actor[ZoneMessage]):
    """Answers one question at a time, so that two lanes never race for a spot inside one daemon."""

    def __init__(
        self,
        facility: FacilityId,
        fence: Fence,
        setup: ZoneSetup,
        *,
        name: str,
        store: Store,
        on_count: Callable[[ZoneSetup, ZoneCount], None],
        on_drift: Callable[[ZoneSetup, ZoneDrift], None],
        clock: Clock,
        recount_seconds: float = RECOUNT_SECONDS,
    ) -> None:
        super().__init__(name, capacity=MAILBOX_CAPACITY, on_poison=self._refuse)
        self._facility = facility
        self._fence = fence
        self._setup = setup
        self._store = store
        self._on_count = on_count
        self._on_drift = on_drift
        self._clock = clock
        self._recount_seconds = recount_seconds

    async def started(self) -> None:
        await self._count()
        await self._hold_against_each_other()

    async def handle(self, message: ZoneMessage) -> None:
        if isinstance(message, Recount):
            await self._count()
            await self._hold_against_each_other()
        elif message.reply.wanted:
            await self._answer(message)

    def recount(self) -> None:
        """Somebody else gave or took a spot of this zone: count it anew."""
        self.tell_self(Recount())

    async def _answer(self, message: ZoneQuestion) -> None:
        try:
            match message:
                case AdmitHere(request, admit_reply):
                    admitted = await self._store.admit(self._facility, self._fence, request)
                    admit_reply.answer(admitted)
                case ReleaseHere(request, release_reply):
                    released = await self._store.release(self._facility, self._fence, request)
                    release_reply.answer(released)
                case CancelHere(stay, lane, reason, at, correlation, cancel_reply):
                    await self._store.cancel_admission(
                        self._facility, self._fence, stay, lane, reason, at, correlation
                    )
                    cancel_reply.answer(None)
                case MoveHere(request, move_reply):
                    moved = await self._store.move_stay(self._facility, self._fence, request)
                    move_reply.answer(moved)
                case CancelMoveHere(stay, lane, reason, at, correlation, cancel_reply):
                    await self._store.cancel_move(
                        self._facility, self._fence, stay, lane, reason, at, correlation
                    )
                    cancel_reply.answer(None)
                case _:
                    assert_never(message)
        except StoreError as error:
            # The asker decides what becomes of the vehicle; the zone itself is none the worse.
            message.reply.refuse(error)
            return
        # The answer is on its way already: counting costs the vehicle nothing.
        await self._count()

    async def _count(self) -> None:
        try:
            count = await self._store.zone_count(self._setup.id)
        except StoreError as error:
            _log.warning("zone.count_failed", actor=self.name, error=str(error))
        else:
            self._on_count(self._setup, count)
        self.set_timer("recount", self._recount_seconds, Recount())

    async def _hold_against_each_other(self) -> None:
        """Counters, stays and sensors: how far they are apart. Only now and then, as it decides
        nothing."""
        try:
            drift = await self._store.zone_drift(self._setup.id, self._clock.now())
        except StoreError as error:
            _log.warning("zone.count_failed", actor=self.name, error=str(error))
        else:
            self._on_drift(self._setup, drift)

    @staticmethod
    def _refuse(message: ZoneMessage, error: Exception) -> None:
        if not isinstance(message, Recount):
            # A fault of ours and no outage: asked again it would only fail again.
            message.reply.refuse(StoreError(f"the zone failed: {error!r}", retryable=False))
