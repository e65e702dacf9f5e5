"""What operators do, in memory: rights, modes, waivers and payments by hand, as the functions of
the database have them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from gated.core.effects import Outcome
from gated.core.events import OperateOutcome, OperatorDo
from gated.core.ids import EventId, FacilityId, Fence, LaneId, StayId
from gated.core.money import EXPONENTS, Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import FacilityMode, LaneMode, Modes, Ordered
from gated.operations import (
    MatchAnswer,
    MatchRequest,
    ModeAnswer,
    ModeRequest,
    MoneyAnswer,
    OperateAnswer,
    OperateRequest,
    PayRequest,
    RefuseRequest,
    WaiveRequest,
)
from gated.records import EventStatus

if TYPE_CHECKING:
    from tests.fakes.store import Event, Facility, Stay


OPERATE = frozenset(
    {
        OperatorDo.OPEN,
        OperatorDo.HOLD,
        OperatorDo.RELEASE,
        OperatorDo.LANE_CLOSE,
        OperatorDo.LANE_OPEN,
    }
)
O = OperateOutcome  # noqa: E741 - read as a word of its own in each line below


@dataclass(frozen=True, slots=True)
class FakeOperator:
    """A member of staff, by what he may do. `everything`: an administrator, or the owner."""

    permissions: frozenset[str]
    user: UUID = field(default_factory=uuid4)
    active: bool = True
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """An audit row: what a request came to, and the answer that it got."""

    event: EventId
    at: datetime
    do: OperatorDo
    user: UUID | None
    reason: str
    outcome: OperateOutcome
    lane: LaneId | None
    answer: object = None


@dataclass(slots=True)
class Operations:
    """All that the database holds of operators' acts at one facility."""

    operators: dict[str, FakeOperator] = field(default_factory=dict)
    lanes: dict[LaneId, LaneMode] = field(default_factory=dict)
    mode: FacilityMode = FacilityMode.NORMAL
    ordered: dict[LaneId | None, Ordered] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    waived: dict[StayId, Decimal] = field(default_factory=dict)
    matched: dict[StayId, str] = field(default_factory=dict)

    def of(self, name: str, do: OperatorDo, reason: str) -> tuple[UUID | None, OperateOutcome]:
        """Who that is, and whether he may."""
        operator = self.operators.get(name)
        if operator is None:
            return None, O.USER_UNKNOWN
        words = {do.value, "operate"} if do in OPERATE else {do.value}
        if not operator.active or not (operator.everything or words & operator.permissions):
            return operator.user, O.NOT_PERMITTED
        return operator.user, O.DONE if reason.strip() else O.REASON_MISSING

    def told(self, event: EventId, at: datetime, lane: LaneId | None = None) -> Act | None:
        """The same call, before."""
        return next(
            (one for one in self.acts if (one.event, one.at, one.lane) == (event, at, lane)), None
        )


class MemoryOperations:
    """The part of `MemoryStore` about operators."""

    if TYPE_CHECKING:
        facilities: dict[FacilityId, Facility]

        async def _called(self, name: str) -> None: ...
        def _fenced(self, facility: FacilityId, fence: Fence) -> Facility: ...
        @staticmethod
        def _event(there: Facility, event: EventId) -> Event: ...
        def _price(self, there: Facility, stay: Stay, at: datetime) -> Money: ...
        def _count(self, there: Facility, stay: Stay, amount: Decimal, at: datetime) -> Money: ...

    async def modes(self, facility: FacilityId) -> Modes:
        await self._called("modes")
        kept = self.facilities[facility].operations
        return Modes(kept.mode, dict(kept.lanes), dict(kept.ordered))

    async def operate(
        self, facility: FacilityId, fence: Fence, request: OperateRequest
    ) -> OperateAnswer:
        await self._called("operate")
        there = self._fenced(facility, fence)
        kept = there.operations
        event = self._event(there, request.event)
        if (told := kept.told(request.event, request.at, request.lane)) is not None:
            assert isinstance(told.answer, OperateAnswer)
            return told.answer
        mode = kept.lanes.get(request.lane, LaneMode.IN_SERVICE)
        if event.status is not EventStatus.NEW:
            return OperateAnswer(O.EVENT_DONE, None, mode)
        user, outcome = kept.of(request.user, request.do, request.reason)
        stay = _stay(there, request.stay, request.ticket, None)
        if outcome is O.DONE and (request.stay, request.ticket) != (None, None):
            entries = {one.id for one in there.setup.lanes if one.direction is Direction.ENTRY}
            expected = ("CONFIRMED",) if request.lane in entries else ()
            outcome = _gone_by(there, stay, request.read, *expected)
        _settle(event, outcome)
        if outcome is O.DONE:
            after = _mode_after(mode, request.do)
            if after is not mode:
                kept.lanes[request.lane] = mode = after
                kept.ordered[request.lane] = Ordered(request.at, user, request.reason)
            if request.command is not None:
                there.commit(request.command)
        known = None if stay is None or outcome is not O.DONE else stay.plate
        answer = OperateAnswer(outcome, user, mode, known)
        kept.acts.append(
            Act(
                request.event, request.at, request.do, user, request.reason, outcome,
                request.lane, answer,
            )
        )  # fmt: skip
        return answer

    async def refuse_operation(
        self, facility: FacilityId, fence: Fence, request: RefuseRequest
    ) -> bool:
        await self._called("refuse_operation")
        there = self._fenced(facility, fence)
        kept = there.operations
        event = self._event(there, request.event)
        if event.status is not EventStatus.NEW:
            return kept.told(request.event, request.at, request.lane) is not None
        _settle(event, request.outcome)
        user, _ = kept.of(request.user, request.do, request.reason)
        kept.acts.append(
            Act(
                request.event, request.at, request.do, user, request.reason, request.outcome,
                request.lane,
            )
        )  # fmt: skip
        return True

    async def operation_outcome(self, facility: FacilityId, key: str) -> OperateOutcome | None:
        await self._called("operation_outcome")
        there = self.facilities[facility]
        event = there.events.get(there.keys.get(f"-/{key}", EventId(UUID(int=0))))
        if event is None or event.status is not EventStatus.DONE:
            return None
        return O(event.error) if event.error is not None else O.DONE

    async def set_facility_mode(
        self, facility: FacilityId, fence: Fence, request: ModeRequest
    ) -> ModeAnswer:
        await self._called("set_facility_mode")
        there = self._fenced(facility, fence)
        kept = there.operations
        event = self._event(there, request.event)
        if (told := kept.told(request.event, request.at)) is not None:
            assert isinstance(told.answer, ModeAnswer)
            return told.answer
        if event.status is not EventStatus.NEW:
            return ModeAnswer(O.EVENT_DONE, None, kept.mode)
        evacuates = request.mode is FacilityMode.EVACUATION
        do = OperatorDo.EVACUATE if evacuates else OperatorDo.RESUME
        user: UUID | None = None
        outcome, changed = O.DONE, False
        if request.user is not None:
            user, outcome = kept.of(request.user, do, request.reason)
        if outcome is O.DONE and kept.mode is not request.mode:
            kept.mode, changed = request.mode, True
            kept.ordered[None] = Ordered(request.at, user, request.reason)
        _settle(event, outcome)
        answer = ModeAnswer(outcome, user, kept.mode, changed)
        kept.acts.append(
            Act(request.event, request.at, do, user, request.reason, outcome, None, answer)
        )
        return answer

    async def match_stay(
        self, facility: FacilityId, fence: Fence, request: MatchRequest
    ) -> MatchAnswer:
        await self._called("match_stay")
        there = self._fenced(facility, fence)
        kept = there.operations
        event = self._event(there, request.event)
        stay = _stay(there, request.stay, request.ticket, request.plate)

        def answered(outcome: OperateOutcome, user: UUID | None) -> MatchAnswer:
            if stay is None:
                return MatchAnswer(outcome, user)
            return MatchAnswer(outcome, user, stay.id, stay.ticket, stay.plate)

        if (told := kept.told(request.event, request.at)) is not None:
            return answered(told.outcome, told.user)
        if event.status is not EventStatus.NEW:
            return answered(O.EVENT_DONE, None)
        user, outcome = kept.of(request.user, OperatorDo.MATCH, request.reason)
        if outcome is O.DONE:
            named = (request.stay, request.ticket, request.plate) != (None, None, None)
            outcome = _gone_by(there, stay, request.read) if named else O.STAY_MISSING
        if outcome is O.DONE:
            assert stay is not None
            kept.matched[stay.id] = request.user
        else:
            _settle(event, outcome)
        kept.acts.append(
            Act(request.event, request.at, OperatorDo.MATCH, user, request.reason, outcome, None)
        )
        return answered(outcome, user)

    async def waive(self, facility: FacilityId, fence: Fence, request: WaiveRequest) -> MoneyAnswer:
        await self._called("waive")
        there = self._fenced(facility, fence)
        stay = _stay(there, request.stay, request.ticket, request.plate)

        def waived(user: UUID | None) -> MoneyAnswer:
            if stay is None or stay.status == "CANCELLED":
                return MoneyAnswer(_there(stay, "ACTIVE", "COMPLETED"), user)
            due = self._due(there, stay, request.at)
            amount = due.amount if request.amount is None else request.amount
            if request.currency not in (None, due.currency):
                return MoneyAnswer(O.CURRENCY_MISMATCH, user, stay.ticket)
            if not due.amount:
                return MoneyAnswer(O.NOTHING_DUE, user, stay.ticket)
            if not 0 < amount <= due.amount or _too_fine(amount, due.currency):
                return MoneyAnswer(O.AMOUNT_INVALID, user, stay.ticket)
            if stay.status == "COMPLETED":
                assert stay.price is not None
                stay.price = replace(stay.price, amount=stay.price.amount - amount)
            else:
                waived = there.operations.waived
                waived[stay.id] = waived.get(stay.id, Decimal(0)) + amount
            return MoneyAnswer(
                O.DONE,
                user,
                stay.ticket,
                Money(amount, due.currency),
                replace(due, amount=due.amount - amount),
            )

        return self._money(there, request, OperatorDo.WAIVE, waived)

    async def pay_by_hand(
        self, facility: FacilityId, fence: Fence, request: PayRequest
    ) -> MoneyAnswer:
        await self._called("pay_by_hand")
        there = self._fenced(facility, fence)
        stay = _stay(there, request.stay, request.ticket, request.plate)

        def paid(user: UUID | None) -> MoneyAnswer:
            said = (request.amount, request.currency, request.provider, request.txn)
            told = there.told(request.payment, said)
            if told is not None and (told.stay is not stay or told.paid != said):
                return MoneyAnswer(O.TOLD_DIFFERENTLY, user)
            if stay is None or stay.status == "CANCELLED":
                return MoneyAnswer(_there(stay, "ACTIVE", "COMPLETED", "CONFIRMED"), user)
            if request.currency != there.setup.currency:
                return MoneyAnswer(O.CURRENCY_MISMATCH, user, stay.ticket)
            if request.amount <= 0 or _too_fine(request.amount, request.currency):
                return MoneyAnswer(O.AMOUNT_INVALID, user, stay.ticket)
            if told is None:
                due = self._count(there, stay, request.amount, request.at)
                there.tell(request.payment, said, stay)
            else:
                due = self._due(there, stay, request.at)
            paid = Money(request.amount, request.currency)
            return MoneyAnswer(O.DONE, user, stay.ticket, paid, due)

        return self._money(there, request, OperatorDo.PAY, paid)

    def _money(
        self,
        there: "Facility",
        request: WaiveRequest | PayRequest,
        do: OperatorDo,
        act: Callable[[UUID | None], MoneyAnswer],
    ) -> MoneyAnswer:
        kept = there.operations
        event = self._event(there, request.event)
        if (told := kept.told(request.event, request.at)) is not None:
            assert isinstance(told.answer, MoneyAnswer)
            return told.answer
        if event.status is not EventStatus.NEW:
            return MoneyAnswer(O.EVENT_DONE)
        user, outcome = kept.of(request.user, do, request.reason)
        answer = act(user) if outcome is O.DONE else MoneyAnswer(outcome, user)
        _settle(event, answer.outcome)
        kept.acts.append(
            Act(
                request.event, request.at, do, user, request.reason, answer.outcome, None, answer
            )
        )  # fmt: skip
        return answer

    def _due(self, there: "Facility", stay: "Stay", at: datetime) -> Money:
        price = stay.price
        if stay.status == "ACTIVE" or price is None:
            price = self._price(there, stay, at)
        due = there.due(stay, price)
        assert due is not None
        return due


def _settle(event: "Event", outcome: OperateOutcome) -> None:
    done = outcome is O.DONE
    event.status = EventStatus.DONE
    event.outcome = Outcome.DECIDED if done else Outcome.REFUSED
    event.error = None if done else outcome.value


def _mode_after(mode: LaneMode, do: OperatorDo) -> LaneMode:
    match do, mode:
        case OperatorDo.HOLD, _:
            return LaneMode.HELD
        case OperatorDo.LANE_CLOSE, _:
            return LaneMode.CLOSED
        case (OperatorDo.RELEASE, LaneMode.HELD) | (OperatorDo.LANE_OPEN, _):
            return LaneMode.IN_SERVICE
        case _:
            return mode


def _stay(
    there: "Facility", stay: StayId | None, ticket: str | None, plate: Plate | None
) -> "Stay | None":
    if (stay, ticket, plate) == (None, None, None):
        return None
    stays: Sequence[Stay] = list(there.stays.values())
    found = [one for one in stays if one.id == stay or ticket == one.ticket or plate == one.plate]
    live = [one for one in found if one.status in ("ACTIVE", "CONFIRMED")]
    if plate is not None:
        found = live
    return next(iter([*live, *found]), None)


def _there(stay: "Stay | None", *statuses: str) -> OperateOutcome:
    if stay is None:
        return O.BOOKING_UNKNOWN
    return O.DONE if stay.status in statuses else O.BOOKING_ENDED


def _gone_by(
    there: "Facility", stay: "Stay | None", read: Plate | None, *expected: str
) -> OperateOutcome:
    """Whether it is inside, or as expected; without a plate of its own it gets what was read, where
    it can."""
    outcome = _there(stay, "ACTIVE", *expected)
    if outcome is O.DONE and stay is not None and stay.plate is None:
        others = {one.plate for one in there.stays.values() if one.status == "ACTIVE"}
        stay.plate = read if read not in others else None
        return O.PLATE_UNKNOWN if stay.plate is None else O.DONE
    return outcome


def _too_fine(amount: Decimal, currency: str) -> bool:
    return amount != round(amount, EXPONENTS[currency])
