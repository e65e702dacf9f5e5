"""Takes back what was granted to vehicles that did not pass: admissions, moves, releases."""

from collections.abc import Mapping
from typing import assert_never

from gated.actors.messages import CancelHere, CancelMoveHere
from gated.actors.persistence import Persistence
from gated.actors.reporter import Reporter
from gated.actors.zone import ZoneActor
from gated.core.effects import CancelAdmission, CancelMove, ResumeStay
from gated.core.ids import Fence, ZoneId
from gated.core.site import FacilitySetup, LaneSetup
from gated.ports import Clock, Store


class Undoing:
    """The undoing of grants, of one facility. Each is repeated until it is written."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        *,
        store: Store,
        zones: Mapping[ZoneId, ZoneActor],
        persistence: Persistence,
        clock: Clock,
        reporter: Reporter,
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._zones = zones
        self._persistence = persistence
        self._clock = clock
        self._reporter = reporter

    async def perform(
        self, lane: LaneSetup, effect: CancelAdmission | CancelMove | ResumeStay
    ) -> None:
        """Take it back, however long that takes. Raises FencedOut."""
        match effect:
            case CancelAdmission():
                await self._cancel(lane, effect)
            case CancelMove():
                await self._cancel_move(lane, effect)
            case ResumeStay():
                await self._resume(lane, effect)
            case _:
                assert_never(effect)

    async def _cancel(self, lane: LaneSetup, effect: CancelAdmission) -> None:
        at = self._clock.now()
        deadline = lane.policy.command_seconds_max
        await self._persistence.written(
            lambda: self._zones[effect.zone].ask(
                lambda reply: CancelHere(
                    effect.stay, lane.id, effect.reason, at, effect.correlation, reply
                ),
                deadline_seconds=deadline,
            )
        )
        self._reporter.cancelled(lane, effect)

    async def _cancel_move(self, lane: LaneSetup, effect: CancelMove) -> None:
        at = self._clock.now()
        await self._persistence.written(
            lambda: self._zones[effect.zone].ask(
                lambda reply: CancelMoveHere(
                    effect.stay, lane.id, effect.reason, at, effect.correlation, reply
                ),
                deadline_seconds=lane.policy.command_seconds_max,
            )
        )
        self._recount(lane.from_zone)
        self._reporter.move_cancelled(lane, effect)

    async def _resume(self, lane: LaneSetup, effect: ResumeStay) -> None:
        # Not by way of a zone: which one it is in again is only known from the answer.
        at = self._clock.now()
        zone = await self._persistence.written(
            lambda: self._store.resume_stay(
                self._setup.id,
                self._fence,
                effect.stay,
                lane.id,
                effect.reason,
                at,
                effect.correlation,
            )
        )
        if zone is not None:
            self._recount(zone)
            self._reporter.resumed(lane, effect)

    def _recount(self, zone: ZoneId | None) -> None:
        """Another zone gave or took a spot of this one."""
        if zone is not None and zone in self._zones:
            self._zones[zone].recount()
