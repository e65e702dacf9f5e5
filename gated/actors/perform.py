"""The only interpreter of effects: turns each into a store call or a question to a zone.

What came of it goes back into `gated.core.decide` as an event. Ids and the expiry of commands
are drawn here, once per effect, so that a repeated call is the same call.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from gated.actors.commanding import Commander
from gated.actors.hands import Hands
from gated.actors.messages import (
    AdmitHere,
    CancelHere,
    CancelMoveHere,
    MoveHere,
    ReleaseHere,
)
from gated.actors.operators import OperatorDesk
from gated.actors.persistence import Persistence
from gated.actors.reporter import Decided, Reporter
from gated.actors.settler import Settler
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
    Admitted,
    AlreadyInside,
    DecidedBefore,
    DecisionFailed,
    DenialShown,
    LaneEvent,
    Moved,
    NoOpenStay,
    OpenStaysTaken,
    Released,
    RightGone,
    SnapshotTaken,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.facts import record
from gated.core.ids import EventId, Fence, StayId, ZoneId
from gated.core.reasons import DenyReason
from gated.core.site import FacilitySetup, LaneSetup
from gated.operations import ModeAnswer
from gated.ports import Clock, Commands, Ids, Store
from gated.records import (
    AdmitAnswer,
    AdmitOutcome,
    AdmitRequest,
    AskRequest,
    Command,
    DenyRequest,
    MoveAnswer,
    MoveOutcome,
    MoveRequest,
    PaymentTaken,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseRequest,
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
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._zones = zones
        self._settler = settler
        self._commands = commands
        self._operators = operators
        self._clock = clock
        self._ids = ids
        self._persistence = Persistence(setup, fence, store, rng)
        self._reporter = reporter
        self._commander = Commander(setup, fence, commands, clock, ids, beside=beside)
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
            case Admit() | Release() | Move() if self._clock.now() > effect.valid_until:
                return DecisionFailed(effect.cause, "too late: the vehicle may be gone")
            case Admit() | Release() | Move():
                return await self._granted_by(lane, effect)
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
                await self._undo(lane, effect)
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

    async def take_payment(self, event: EventId, payment: PaymentTaken) -> bool:
        """Write it down, however long that takes; whether it counted for something."""
        answer = await self._persistence.written(
            lambda: self._store.take_payment(self._setup.id, self._fence, event, payment)
        )
        self._reporter.paid(event, payment, answer)
        return answer.outcome.counted

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

    async def _granted_by(self, lane: LaneSetup, effect: Admit | Release | Move) -> LaneEvent:
        """One of the transactions that open."""
        match effect:
            case Admit():
                return await self._admit(lane, effect)
            case Release():
                return await self._release(lane, effect)
            case Move():
                return await self._move(lane, effect)
            case _:
                assert_never(effect)

    async def _snapshot(self, lane: LaneSetup, effect: TakeSnapshot) -> LaneEvent:
        """A look that takes longer than its command would live is of no use any more."""
        try:
            async with asyncio.timeout(lane.policy.command_seconds_max):
                snapshot = await self._store.plate_snapshot(
                    self._setup.id, effect.plate, lane.direction, self._clock.now()
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

    async def _admit(self, lane: LaneSetup, effect: Admit) -> LaneEvent:
        cause, read = effect.cause, effect.read
        stay = effect.again or StayId(self._ids.new())
        command = self._command(lane, Do.OPEN, effect.reason, effect)
        request = AdmitRequest(
            event=cause.event,
            lane=lane.id,
            zone=effect.zone,
            stay=stay,
            read=read,
            # The stay begins when the vehicle is let in, not when it was read while it waited.
            at=command.issued_at,
            reason=effect.reason,
            vehicle=effect.vehicle,
            user=effect.user,
            command=command,
            entitlement=effect.entitlement,
            facts=record(lane, cause, effect.facts),
        )
        answer: AdmitAnswer | DecisionFailed = await self._persistence.decided(
            cause,
            lambda: self._zones[effect.zone].ask(
                lambda reply: AdmitHere(request, reply),
                deadline_seconds=lane.policy.command_seconds_max,
            ),
        )
        if isinstance(answer, DecisionFailed):
            return answer
        match answer.outcome:
            case (
                AdmitOutcome.ZONE_FULL
                | AdmitOutcome.ZONE_RESERVED
                | AdmitOutcome.SIZE_TAKEN
                | AdmitOutcome.SPOTS_TOO_SMALL
                | AdmitOutcome.CHARGERS_KEPT
                | AdmitOutcome.ACCESSIBLE_KEPT
                | AdmitOutcome.ZONE_CLOSED
                | AdmitOutcome.ZONE_FULL_FOR_GROUP
                | AdmitOutcome.FACILITY_FULL_FOR_GROUP
                | AdmitOutcome.GROUP_NOT_PERMITTED
            ):
                return ZoneRefused(cause, effect.zone, ZoneRefusal(answer.outcome))
            case (
                AdmitOutcome.RIGHT_USED_UP
                | AdmitOutcome.RIGHT_EXPIRED
                | AdmitOutcome.BOOKING_NOT_OPEN
                | AdmitOutcome.BOOKING_NOT_DUE
            ):
                return RightGone(cause, answer.outcome)
            case AdmitOutcome.ALREADY_INSIDE:
                return AlreadyInside(cause)
            case AdmitOutcome.EVENT_DONE:
                return DecidedBefore(cause)
            case AdmitOutcome.ADMITTED:
                assert answer.stay is not None
                ticket = answer.ticket if read is None else ""
                sent = replace(command, stay=answer.stay, ticket=ticket)
                self._granted(lane, effect, sent, effect.zone, answer.spot_number)
                return Admitted(cause, answer.stay, effect.zone, answer.spot_number, command.id)
            case _:
                assert_never(answer.outcome)

    async def _release(self, lane: LaneSetup, effect: Release) -> LaneEvent:
        cause, stay = effect.cause, effect.stay
        command = self._command(lane, Do.OPEN, effect.reason, effect)
        request = ReleaseRequest(
            event=cause.event,
            lane=lane.id,
            stay=stay.id,
            read=effect.read,
            at=effect.at or cause.received_at,
            reason=effect.reason,
            command=command,
            matched=effect.matched,
            facts=record(lane, cause, effect.facts),
        )
        answer: ReleaseAnswer | DecisionFailed = await self._persistence.decided(
            cause,
            lambda: self._zones[stay.zone].ask(
                lambda reply: ReleaseHere(request, reply),
                deadline_seconds=lane.policy.command_seconds_max,
            ),
        )
        if isinstance(answer, DecisionFailed):
            return answer
        match answer.outcome:
            case ReleaseOutcome.NO_OPEN_STAY:
                return NoOpenStay(cause)
            case ReleaseOutcome.EVENT_DONE:
                return DecidedBefore(cause)
            case ReleaseOutcome.RELEASED:
                assert answer.price is not None
                sent = replace(command, price=answer.price)
                self._granted(lane, effect, sent, stay.zone, answer.spot_number)
                return Released(cause, stay.id, answer.price, command.id)
            case _:
                assert_never(answer.outcome)

    async def _move(self, lane: LaneSetup, effect: Move) -> LaneEvent:
        cause, stay = effect.cause, effect.stay
        command = self._command(lane, Do.OPEN, effect.reason, effect)
        request = MoveRequest(
            event=cause.event,
            lane=lane.id,
            stay=stay.id,
            zone=effect.zone,
            read=effect.read,
            at=command.issued_at,
            reason=effect.reason,
            command=command,
            anyway=effect.anyway,
            matched=effect.matched,
            facts=record(lane, cause, effect.facts),
        )
        answer: MoveAnswer | DecisionFailed = await self._persistence.decided(
            cause,
            lambda: self._zones[effect.zone].ask(
                lambda reply: MoveHere(request, reply),
                deadline_seconds=lane.policy.command_seconds_max,
            ),
        )
        if isinstance(answer, DecisionFailed):
            return answer
        match answer.outcome:
            case MoveOutcome.NO_OPEN_STAY:
                return NoOpenStay(cause)
            case MoveOutcome.EVENT_DONE:
                return DecidedBefore(cause)
            case MoveOutcome.MOVED:
                zone = answer.zone or effect.zone
                self._granted(lane, effect, command, zone, answer.spot_number)
                self._recount(stay.zone)
                return Moved(cause, stay.id, zone, answer.spot_number, command.id)
            case refusal:
                return ZoneRefused(cause, effect.zone, refusal)

    def _recount(self, zone: ZoneId | None) -> None:
        """Another zone gave or took a spot of this one."""
        if zone is not None and zone in self._zones:
            self._zones[zone].recount()

    def _granted(
        self,
        lane: LaneSetup,
        effect: Admit | Release | Move,
        command: Command,
        zone: ZoneId,
        spot: str,
    ) -> None:
        """The grant is committed: send its command, and tell."""
        cause = effect.cause
        self._commands.poke(command, cause.received_monotonic)
        self._reporter.decided(
            lane,
            Decided(
                cause=cause,
                decision="grant",
                reason=effect.reason,
                plate=effect.read.plate if effect.read else None,
                latency_seconds=self._clock.monotonic() - cause.received_monotonic,
                stay=command.stay,
                zone=zone,
                spot=spot,
                price=command.price,
            ),
        )

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
        )
        now_recorded = await self._persistence.written(
            lambda: self._store.deny(self._setup.id, self._fence, request)
        )
        if not now_recorded:
            return None
        if command is not None:
            self._commands.poke(command, cause.received_monotonic)
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
        self._commands.poke(command, cause.received_monotonic)
        return DenialShown(cause, command.id)

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

    async def _undo(
        self, lane: LaneSetup, effect: CancelAdmission | CancelMove | ResumeStay
    ) -> None:
        match effect:
            case CancelAdmission():
                await self._cancel(lane, effect)
            case CancelMove():
                await self._cancel_move(lane, effect)
            case ResumeStay():
                await self._resume(lane, effect)
            case _:
                assert_never(effect)

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

    def _command(
        self,
        lane: LaneSetup,
        do: Do,
        reason: str,
        effect: Admit | Release | Move | Deny | AskPayment,
    ) -> Command:
        return self._commander.make(
            lane,
            do,
            reason,
            effect.cause.event,
            plate=effect.read.plate if effect.read else None,
            stay=effect.stay.id if isinstance(effect, Release | Move) else None,
            asked=effect if isinstance(effect, AskPayment) else None,
        )
