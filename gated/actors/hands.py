"""What happens at a lane beside its decisions: passages that nobody granted, what operators do,
commands that grant nothing anew, faults. Each is written, and then told.
"""

import asyncio
from collections.abc import Callable
from typing import assert_never
from uuid import UUID, uuid5

from gated.actors.commanding import Commander
from gated.actors.operators import OperatorDesk
from gated.actors.persistence import Persistence
from gated.actors.reporter import Reporter
from gated.core.effects import (
    Do,
    Evacuate,
    NoteFault,
    Notice,
    Operate,
    PassFreely,
    RefuseOperation,
    SendCommand,
)
from gated.core.errors import StoreError
from gated.core.events import CommandSent, LaneEvent
from gated.core.ids import Fence, StayId
from gated.core.site import FacilitySetup, LaneSetup
from gated.core.snapshot import FacilityMode
from gated.operations import ModeAnswer, ModeRequest
from gated.ports import Clock, Ids, Store
from gated.records import FreePassage, LaneNote

HandsEffect = PassFreely | SendCommand | Operate | RefuseOperation | Evacuate | NoteFault | Notice

# Names the notes of lanes, so that one that is told again is the same.
_NOTES = UUID("6b0c0c1e-6f0e-4c1c-9a3e-0d5b6a0c7f11")


class Hands:
    """Carries out the effects of one facility's lanes that decide nothing about a vehicle."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        *,
        store: Store,
        persistence: Persistence,
        commander: Commander,
        operators: OperatorDesk,
        clock: Clock,
        ids: Ids,
        reporter: Reporter,
        on_evacuation: Callable[[Evacuate, ModeAnswer], None],
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._persistence = persistence
        self._commander = commander
        self._operators = operators
        self._clock = clock
        self._ids = ids
        self._reporter = reporter
        self._on_evacuation = on_evacuation

    async def perform(self, lane: LaneSetup, effect: HandsEffect) -> LaneEvent | None:
        """Do it; the event that answers it, if it has an answer. Raises FencedOut."""
        match effect:
            case PassFreely():
                await self._pass_freely(lane, effect)
            case SendCommand():
                return await self._send(lane, effect)
            case Operate():
                return await self._operators.operate(lane, effect)
            case RefuseOperation():
                await self._operators.refuse(effect)
            case Evacuate():
                await self._evacuate(effect)
            case NoteFault():
                await self._note_fault(lane, effect)
            case Notice():
                await self._note_notice(lane, effect)
            case _:
                assert_never(effect)
        return None

    async def _pass_freely(self, lane: LaneSetup, effect: PassFreely) -> None:
        request = effect.request
        passage = FreePassage(
            passage=effect.cause.event,
            lane=lane.id,
            direction=lane.direction,
            kind=effect.kind,
            stay=StayId(self._ids.new()),
            at=effect.cause.received_at,
            read=effect.read,
            after=effect.after,
            user=request.account if request is not None else None,
            reason=request.reason if request is not None else "",
            known=effect.known,
        )
        answer = await self._persistence.written(
            lambda: self._store.pass_freely(self._setup.id, self._fence, passage)
        )
        self._reporter.passed_freely(lane, effect, answer)

    async def _send(self, lane: LaneSetup, effect: SendCommand) -> CommandSent | None:
        late = effect.valid_until is not None and self._clock.now() > effect.valid_until
        if late or not self._commander.accepts(lane, effect.do):
            return None
        command = self._commander.make(
            lane, effect.do, effect.reason, effect.event, plate=effect.plate, stay=effect.stay
        )
        try:
            async with asyncio.timeout(lane.policy.command_seconds_max):
                await self._store.send_command(self._setup.id, self._fence, command)
        except (TimeoutError, StoreError):
            # Should it be there all the same, the relay finds it, or lets it expire.
            return None
        self._commander.send(command)
        if effect.stay is None and effect.do in (Do.OPEN, Do.HOLD):
            self._reporter.opened_without_transaction(lane, effect.reason)
        return CommandSent(command.id, effect.stay)

    async def _evacuate(self, effect: Evacuate) -> None:
        asked = ModeRequest(
            event=effect.cause.event,
            mode=FacilityMode.EVACUATION,
            user=None,
            reason="fire input",
            at=self._clock.now(),
        )
        answer = await self._persistence.written(
            lambda: self._store.set_facility_mode(self._setup.id, self._fence, asked)
        )
        self._on_evacuation(effect, answer)

    async def _note_fault(self, lane: LaneSetup, effect: NoteFault) -> None:
        what = "raised" if effect.on else "cleared"
        name = f"{lane.id}:{effect.fault}:{what}:{effect.at.isoformat()}"
        note = LaneNote(
            id=uuid5(_NOTES, name),
            lane=lane.id,
            at=effect.at,
            name=f"fault_{what}",
            detail=effect.fault,
            event=effect.cause.event if effect.cause is not None else None,
        )
        self._reporter.fault(lane, effect)
        await self._note(note)

    async def _note_notice(self, lane: LaneSetup, effect: Notice) -> None:
        cause = effect.cause
        # Of what no message caused nothing is ever replayed; one message may be every lane's.
        told = f"{lane.id}:{cause.event if cause is not None else None}:{effect.name}"
        note = LaneNote(
            id=self._ids.new() if cause is None else uuid5(_NOTES, told),
            lane=lane.id,
            at=self._clock.now() if cause is None else cause.received_at,
            name=effect.name,
            detail=effect.detail,
            event=None if cause is None else cause.event,
        )
        await self._note(note)

    async def _note(self, note: LaneNote) -> None:
        await self._persistence.written(
            lambda: self._store.note_lane(self._setup.id, self._fence, note)
        )
