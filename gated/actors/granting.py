"""Carries out what opens: admissions, releases and moves, each one transaction of the database.

A zone asks the database for its spots; the command is made once per effect, so that a repeated
call is the same call, and is sent when it is committed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from gated.actors.commanding import Commander
from gated.actors.messages import AdmitHere, MoveHere, ReleaseHere
from gated.actors.persistence import Persistence
from gated.actors.reporter import Decided, Reporter
from gated.actors.zone import ZoneActor
from gated.core.effects import Admit, Do, Move, Release
from gated.core.events import (
    Admitted,
    AlreadyInside,
    DecidedBefore,
    DecisionFailed,
    LaneEvent,
    Moved,
    NoOpenStay,
    Released,
    RightGone,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.facts import record
from gated.core.ids import LaneId, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.site import LaneSetup
from gated.ports import Clock, Ids
from gated.records import (
    AdmitAnswer,
    AdmitOutcome,
    AdmitRequest,
    Command,
    MoveAnswer,
    MoveOutcome,
    MoveRequest,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseRequest,
)


class Granting:
    """The transactions that open, of one facility.

    `withheld` says whether the lane was shut while its transaction was under way, `vacated` which
    other entry has let this vehicle in that has come here instead.
    """

    def __init__(
        self,
        *,
        zones: Mapping[ZoneId, ZoneActor],
        persistence: Persistence,
        commander: Commander,
        clock: Clock,
        ids: Ids,
        reporter: Reporter,
        withheld: Callable[[LaneSetup], bool],
        vacated: Callable[[LaneSetup, Plate], LaneId | None],
    ) -> None:
        self._vacated = vacated
        self._withheld = withheld
        self._zones = zones
        self._persistence = persistence
        self._commander = commander
        self._clock = clock
        self._ids = ids
        self._reporter = reporter

    async def perform(self, lane: LaneSetup, effect: Admit | Release | Move) -> LaneEvent:
        """Ask for it; what came of it. Not begun when the vehicle may be gone by now."""
        if self._clock.now() > effect.valid_until:
            return DecisionFailed(effect.cause, "too late: the vehicle may be gone")
        match effect:
            case Admit():
                return await self._admit(lane, effect)
            case Release():
                return await self._release(lane, effect)
            case Move():
                return await self._move(lane, effect)
            case _:
                assert_never(effect)

    async def _admit(self, lane: LaneSetup, effect: Admit) -> LaneEvent:
        cause, read = effect.cause, effect.read
        stay = effect.again or StayId(self._ids.new())
        command = self._command(lane, effect)
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
            vacated=self._vacated(lane, read.plate) if read is not None else None,
            again=cause.again,
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
        command = self._command(lane, effect)
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
        command = self._command(lane, effect)
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
            again=cause.again,
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
                if (left := self._zones.get(stay.zone)) is not None:
                    left.recount()
                return Moved(cause, stay.id, zone, answer.spot_number, command.id)
            case refusal:
                return ZoneRefused(cause, effect.zone, refusal)

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
        if self._withheld(lane):
            # What is over goes to its end in the outbox without being sent.
            command = replace(command, expires_at=self._clock.now())
        self._commander.send(command, cause.received_monotonic)
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

    def _command(self, lane: LaneSetup, effect: Admit | Release | Move) -> Command:
        return self._commander.make(
            lane,
            Do.OPEN,
            effect.reason,
            effect.cause.event,
            plate=effect.read.plate if effect.read else None,
            stay=None if isinstance(effect, Admit) else effect.stay.id,
        )
