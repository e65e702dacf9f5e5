"""The only interpreter of effects: turns each into a store call or a question to a zone.

What came of it goes back into `gated.core.decide` as an event. What opens is in `granting`, what
takes that back in `undoing`, what decides nothing about a vehicle in `hands`. Ids and the expiry of
commands are drawn once per effect, so that a repeated call is the same call.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from gated.actors.commanding import Commander
from gated.actors.granting import Granting
from gated.actors.hands import Hands
from gated.actors.operators import OperatorDesk
from gated.actors.persistence import Persistence
from gated.actors.reporter import Decided, Reporter
from gated.actors.settler import Settler
from gated.actors.undoing import Undoing
from gated.actors.zone import ZoneActor
from gated.core.effects import (
    Admit,
    AskPayment,
    CancelAdmission,
    CancelMove,
    CompletePassage,
    Deny,
    Do,
    DurableEffect,
    Evacuate,
    Move,
    NoteCommand,
    NoteFault,
    Notice,
    Operate,
    PassFreely,
    RefuseOperation,
    Release,
    ResumeStay,
    SendCommand,
    Settle,
    TakeOpenStays,
    TakeSnapshot,
)
from gated.core.errors import StoreError
from gated.core.events import (
    DecisionFailed,
    DenialShown,
    LaneEvent,
    OpenStaysTaken,
    SnapshotTaken,
)
from gated.core.facts import record
from gated.core.ids import Fence, LaneId, ZoneId
from gated.core.plates import Plate
from gated.core.reasons import DenyReason
from gated.core.site import FacilitySetup, LaneSetup
from gated.operations import ModeAnswer
from gated.ports import Clock, Commands, Ids, Store
from gated.records import (
    AskRequest,
    Command,
    DenyRequest,
)


class Performer:
    """Carries out the effects of one facility's lanes."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        *,
        store: Store,
        zones: Mapping[ZoneId, ZoneActor],
        settler: Settler,
        commands: Commands,
        operators: OperatorDesk,
        clock: Clock,
        ids: Ids,
        rng: random.Random,
        reporter: Reporter,
        on_evacuation: Callable[[Evacuate, ModeAnswer], None],
        beside: Callable[[LaneSetup], LaneSetup | None],
        withheld: Callable[[LaneSetup], bool],
        vacated: Callable[[LaneSetup, Plate], LaneId | None],
    ) -> None:
        self._setup = setup
        self._vacated = vacated
        self._fence = fence
        self._store = store
        self._settler = settler
        self._commands = commands
        self._clock = clock
        self._persistence = Persistence(setup, fence, store, rng)
        self._reporter = reporter
        self._commander = Commander(setup, fence, commands, clock, ids, beside=beside)
        self._granting = Granting(
            zones=zones,
            persistence=self._persistence,
            commander=self._commander,
            clock=clock,
            ids=ids,
            reporter=reporter,
            withheld=withheld,
            vacated=vacated,
        )
        self._undoing = Undoing(
            setup,
            fence,
            store=store,
            zones=zones,
            persistence=self._persistence,
            clock=clock,
            reporter=reporter,
        )
        self._hands = Hands(
            setup,
            fence,
            store=store,
            persistence=self._persistence,
            commander=self._commander,
            operators=operators,
            clock=clock,
            ids=ids,
            reporter=reporter,
            on_evacuation=on_evacuation,
        )

    async def perform(self, lane: LaneSetup, effect: DurableEffect) -> LaneEvent | None:
        """Do it; the event that answers it, if it has an answer. Raises FencedOut."""
        match effect:
            case TakeSnapshot() | TakeOpenStays() | Deny() | AskPayment():
                return await self._told(lane, effect)
            case Admit() | Release() | Move():
                return await self._granting.perform(lane, effect)
            case (
                PassFreely()
                | SendCommand()
                | Operate()
                | RefuseOperation()
                | Evacuate()
                | NoteFault()
                | Notice()
            ):
                return await self._hands.perform(lane, effect)
            case CompletePassage(stay, known, correlation):
                at = self._clock.now()
                await self._persistence.written(
                    lambda: self._store.complete_passage(
                        self._setup.id, self._fence, stay, lane.id, known, at, correlation
                    )
                )
                self._reporter.passed(lane, stay, known, correlation)
            case CancelAdmission() | CancelMove() | ResumeStay():
                await self._undoing.perform(lane, effect)
            case NoteCommand(command, status, error):
                at = self._clock.now()
                await self._persistence.written(
                    lambda: self._store.advance_command(
                        self._setup.id, self._fence, command, status, error, at
                    )
                )
                self._commands.noted(command, status)
            case Settle(cause, outcome):
                self._settler.settle(cause.event, outcome)
                self._reporter.settled(lane, outcome)
            case _:
                assert_never(effect)
        return None

    async def _told(
        self, lane: LaneSetup, effect: TakeSnapshot | TakeOpenStays | Deny | AskPayment
    ) -> LaneEvent | None:
        """What grants nothing: to look, to say no, to ask."""
        match effect:
            case TakeSnapshot():
                return await self._snapshot(lane, effect)
            case TakeOpenStays():
                return await self._open_stays(lane, effect)
            case Deny():
                return await self._deny(lane, effect)
            case AskPayment():
                return await self._ask(lane, effect)
            case _:
                assert_never(effect)

    async def _snapshot(self, lane: LaneSetup, effect: TakeSnapshot) -> LaneEvent:
        """A look that takes longer than its command would live is of no use any more."""
        left = None if effect.plate is None else self._vacated(lane, effect.plate)
        lanes = (lane.id,) if left is None else (lane.id, left)
        try:
            async with asyncio.timeout(lane.policy.command_seconds_max):
                snapshot = await self._store.plate_snapshot(
                    self._setup.id, effect.plate, lane.direction, self._clock.now(), lanes
                )
        except (TimeoutError, StoreError) as error:
            return DecisionFailed(effect.cause, str(error) or "no answer in time")
        return SnapshotTaken(effect.cause, snapshot)

    async def _open_stays(self, lane: LaneSetup, effect: TakeOpenStays) -> LaneEvent:
        try:
            async with asyncio.timeout(lane.policy.command_seconds_max):
                stays = await self._store.open_stays(self._setup.id)
        except (TimeoutError, StoreError) as error:
            return DecisionFailed(effect.cause, str(error) or "no answer in time")
        return OpenStaysTaken(effect.cause, tuple(stays))

    async def _deny(self, lane: LaneSetup, effect: Deny) -> DenialShown | None:
        cause, read = effect.cause, effect.read
        command = None
        if effect.show and self._commander.accepts(lane, Do.DENY):
            command = self._command(lane, Do.DENY, effect.reason, effect)
        request = DenyRequest(
            event=cause.event,
            lane=lane.id,
            reason=effect.reason,
            read=read,
            at=cause.received_at,
            command=command,
            facts=record(lane, cause, effect.facts, effect.reason),
            again=cause.again,
        )
        now_recorded = await self._persistence.written(
            lambda: self._store.deny(self._setup.id, self._fence, request)
        )
        if not now_recorded:
            return None
        if command is not None:
            self._commander.send(command, cause.received_monotonic)
        self._reporter.decided(
            lane,
            Decided(
                cause=cause,
                decision="deny",
                reason=effect.reason,
                plate=read.plate if read else None,
                latency_seconds=self._clock.monotonic() - cause.received_monotonic,
            ),
        )
        return DenialShown(cause, command.id) if command is not None else None

    async def _ask(self, lane: LaneSetup, effect: AskPayment) -> DenialShown | None:
        cause, stay = effect.cause, effect.stay.id
        command = None
        if self._commander.accepts(lane, Do.DENY):
            command = self._command(lane, Do.DENY, DenyReason.PAYMENT_DUE, effect)
            command = replace(command, stay=stay, price=effect.due)
        request = AskRequest(
            event=cause.event,
            lane=lane.id,
            stay=stay,
            plate=effect.read.plate,
            due=effect.due,
            at=self._clock.now(),
            command=command,
        )
        now_recorded = await self._persistence.written(
            lambda: self._store.ask_payment(self._setup.id, self._fence, request)
        )
        if not now_recorded:
            return None
        self._reporter.asked(lane, effect)
        if command is None:
            return None
        self._commander.send(command, cause.received_monotonic)
        return DenialShown(cause, command.id)

    def _command(
        self,
        lane: LaneSetup,
        do: Do,
        reason: str,
        effect: Deny | AskPayment,
    ) -> Command:
        return self._commander.make(
            lane,
            do,
            reason,
            effect.cause.event,
            plate=effect.read.plate if effect.read else None,
            asked=effect if isinstance(effect, AskPayment) else None,
        )
