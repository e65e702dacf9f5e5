"""Operators' requests: checked for their age, handed to the lanes or the store, always answered.

Whether somebody may is for the database to say, in the transaction that does it; what an act means
for a vehicle at a lane, for `gated.core`.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import assert_never
from uuid import NAMESPACE_URL, uuid5

import structlog

from gated.actors.backlog import Backlog
from gated.actors.commanding import Commander
from gated.actors.messages import OperatorAgain, OperatorHere
from gated.actors.persistence import Persistence
from gated.actors.reporter import Reporter
from gated.core.effects import Do, Operate, Outcome, RefuseOperation
from gated.core.errors import StoreError
from gated.core.events import (
    Cause,
    DecisionFailed,
    EvacuationChanged,
    LaneEvent,
    Operated,
    OperateOutcome,
    OperatorDo,
    PaymentTold,
    Request,
    Requested,
)
from gated.core.ids import EventId, Fence, LaneId
from gated.core.lane import LaneShown
from gated.core.matching import Near
from gated.core.site import FacilitySetup, LaneSetup
from gated.core.snapshot import FacilityMode
from gated.operations import (
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
from gated.ports import Announcer, Clock, Commands, Ids, Store

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

Tell = Callable[[LaneId, LaneEvent], None]

# Opens no barrier by itself, however late it is: money that was taken was taken.
AGELESS = frozenset({OperatorDo.WAIVE, OperatorDo.PAY})
OPENS = frozenset({Do.OPEN, Do.HOLD})

# Of so many requests it is kept in mind which stays they were answered with: an answer that was
# lost is asked for again within seconds.
NEAR_COUNT_MAX = 100

# What the operator reads beside the word; braces are filled in by `OperatorDesk`.
WHY: Mapping[OperateOutcome, str] = MappingProxyType(
    {
        OperateOutcome.REASON_MISSING: "a reason is needed",
        OperateOutcome.LANE_MISSING: "this is done at a lane: name it",
        OperateOutcome.LANE_UNKNOWN: "the facility has no such lane: it has {lanes}",
        OperateOutcome.STAY_MISSING: "name the stay, by its id, its ticket or its plate",
        OperateOutcome.STAY_AMBIGUOUS: "name the stay once: by its id, its ticket or its plate",
        OperateOutcome.AMOUNT_MISSING: "an amount and its currency are needed",
        OperateOutcome.USER_UNKNOWN: "no member of the facility's staff operates by this name",
        OperateOutcome.NOT_PERMITTED: "no right to this at the facility",
        OperateOutcome.TOO_OLD: "asked more than {seconds} s ago, or by a clock that is wrong",
        OperateOutcome.UNDATED: "may have waited at the broker: ask again, and say when (at)",
        OperateOutcome.NOT_SUPPORTED: "the lane's barrier cannot do this",
        OperateOutcome.BOOKING_UNKNOWN: "the facility has no such stay",
        OperateOutcome.BOOKING_ENDED: "the stay has ended, or never began",
        OperateOutcome.NOTHING_DUE: "nothing is due for the stay",
        OperateOutcome.AMOUNT_INVALID: (
            "the amount is not positive, finer than the currency, or more than is due"
        ),
        OperateOutcome.CURRENCY_MISMATCH: "the facility's currency is {currency}",
        OperateOutcome.PROVIDER_UNKNOWN: "expected CASH or ACCOUNT as provider",
        OperateOutcome.TOLD_DIFFERENTLY: (
            "money was noted by this id before, for another stay or of another amount"
        ),
        OperateOutcome.NOT_NOW: "{needed}: {lane}",
        OperateOutcome.PLATE_UNKNOWN: (
            "the stay has no plate, and none of its own was read here: open by hand, and name none"
        ),
        OperateOutcome.EVENT_DONE: "decided before",
        OperateOutcome.FAILED: "the database did not answer: nothing was done",
    }
)

# What an act needs that a lane can be in no state for.
NEEDED: Mapping[OperatorDo, str] = MappingProxyType(
    {
        OperatorDo.RELEASE: "a lane is needed that is held",
        OperatorDo.MATCH: "a vehicle is needed that waits at an exit to be matched",
    }
)


class OperatorDesk:
    """Sees to the requests of one facility's operators."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        *,
        store: Store,
        settle: Callable[[EventId, Outcome], None],
        commands: Commands,
        announcer: Announcer,
        backlog: Backlog,
        clock: Clock,
        ids: Ids,
        rng: random.Random,
        reporter: Reporter,
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._settle = settle
        self._commander = Commander(setup, fence, commands, clock, ids)
        self._announcer = announcer
        self._backlog = backlog
        self._clock = clock
        self._persistence = Persistence(setup, fence, store, rng)
        self._reporter = reporter
        self._lanes = {lane.id: lane for lane in setup.lanes}
        self._seen: dict[LaneId, LaneShown] = {}
        # The stays that were near, by the user and the request's own id.
        self._near: dict[tuple[str, str], tuple[Near, ...]] = {}
        self._age_seconds_max = max(
            (lane.policy.event_age_seconds_max for lane in setup.lanes), default=0.0
        )

    def seen(self, lane: LaneId, shown: LaneShown) -> None:
        """The lane does that now: whom it is in no state for is told so."""
        self._seen[lane] = shown

    async def take(self, message: OperatorHere | OperatorAgain, tell: Tell) -> None:
        """See to a request; `tell` reaches the lanes. One that cannot be written stops nobody."""
        try:
            match message:
                case OperatorHere():
                    await self._take(message, tell)
                case OperatorAgain():
                    await self._answer_again(message)
                case _:
                    assert_never(message)
        except StoreError as error:
            if isinstance(message, OperatorHere):
                self._fail(message.event, message.request, error)

    async def operate(self, lane: LaneSetup, effect: Operate) -> Operated:
        """Do what the lane has come to: in the database, at the barrier, and say so."""
        try:
            return await self._operate(lane, effect)
        except StoreError as error:
            self._fail(effect.cause.event, effect.request, error)
            return Operated(effect.cause, effect.request, OperateOutcome.FAILED, None)

    async def refuse(self, effect: RefuseOperation) -> None:
        """The lane is in no state for it."""
        try:
            await self._refuse(effect.cause.event, effect.request, OperateOutcome.NOT_NOW)
        except StoreError as error:
            self._fail(effect.cause.event, effect.request, error)

    async def _operate(self, lane: LaneSetup, effect: Operate) -> Operated:
        cause, request = effect.cause, effect.request
        if effect.do is not None and not self._commander.accepts(lane, effect.do):
            return await self._refused(effect, OperateOutcome.NOT_SUPPORTED)
        # Its turn may have come late: the lane was busy, or its database was.
        if (refusal := self._too_old(request, cause)) is not None:
            return await self._refused(effect, refusal)
        if request.do is OperatorDo.MATCH:
            return await self._match(lane, effect)
        command = None
        if effect.do is not None:
            command = self._commander.make(lane, effect.do, f"operator_{request.do}", cause.event)
        asked = OperateRequest(
            event=cause.event,
            lane=lane.id,
            user=request.user,
            do=request.do,
            reason=request.reason,
            at=self._clock.now(),
            command=command,
            stay=request.stay if request.do is OperatorDo.OPEN else None,
            ticket=request.ticket if request.do is OperatorDo.OPEN else None,
            read=None if effect.read is None else effect.read.plate,
        )
        answer: OperateAnswer | DecisionFailed = await self._persistence.decided(
            cause, lambda: self._store.operate(self._setup.id, self._fence, asked)
        )
        if isinstance(answer, DecisionFailed):
            self._fail(cause.event, request, answer.error)
            return Operated(cause, request, OperateOutcome.FAILED, None)
        sent = None
        if answer.outcome is OperateOutcome.DONE and command is not None:
            self._commander.send(command, cause.received_monotonic)
            sent = command.id
            if command.do in OPENS:
                self._reporter.opened_without_transaction(lane, f"operator_{request.do}")
        self._reply(cause.event, request, answer.outcome)
        # By which the passage of whom an operator opens for will be booked.
        plate = request.plate or answer.plate
        return Operated(cause, request, answer.outcome, sent, answer.user, plate)

    async def _match(self, lane: LaneSetup, effect: Operate) -> Operated:
        cause, request = effect.cause, effect.request
        asked = MatchRequest(
            event=cause.event,
            lane=lane.id,
            user=request.user,
            reason=request.reason,
            at=self._clock.now(),
            stay=request.stay,
            ticket=request.ticket,
            plate=request.plate,
            read=None if effect.read is None else effect.read.plate,
        )
        # Opens nothing by itself, and must leave its message undecided: the exit decides on that.
        answer = await self._persistence.written(
            lambda: self._store.match_stay(self._setup.id, self._fence, asked)
        )
        done = answer.outcome is OperateOutcome.DONE
        if done and (refusal := self._too_old(request, cause)) is not None:
            return await self._refused(effect, refusal)
        detail = f"ticket {answer.ticket}" if done else ""
        near = effect.near if answer.outcome is OperateOutcome.STAY_MISSING else ()
        self._keep_in_mind(request, near)
        self._reply(cause.event, request, answer.outcome, detail, near)
        return Operated(cause, request, answer.outcome, None, answer.user, answer.plate)

    def _keep_in_mind(self, request: Request, near: tuple[Near, ...]) -> None:
        """Whose vehicle it may be, for the same request once more."""
        if near:
            self._near[request.user, str(request.id)] = near
        while len(self._near) > NEAR_COUNT_MAX:
            del self._near[next(iter(self._near))]

    def _fail(self, event: EventId, request: Request, error: object) -> None:
        """Nothing was done, and nothing will be: say so."""
        self._settle(event, Outcome.FAILED)
        _log.warning(
            "operator.failed", facility=self._setup.slug, error=str(error), correlation=event
        )
        self._reply(event, request, OperateOutcome.FAILED)

    async def _take(self, message: OperatorHere, tell: Tell) -> None:
        request = message.request
        cause = self._cause(message)
        refusal = message.refusal or self._too_old(request, cause)
        if refusal is not None:
            await self._refuse(message.event, request, refusal)
            return
        match request.do:
            case (
                OperatorDo.OPEN
                | OperatorDo.HOLD
                | OperatorDo.RELEASE
                | OperatorDo.LANE_CLOSE
                | OperatorDo.LANE_OPEN
                | OperatorDo.MATCH
            ):
                assert request.lane is not None
                tell(request.lane, Requested(cause, request))
            case OperatorDo.EVACUATE | OperatorDo.RESUME:
                await self._set_mode(cause, request, tell)
            case OperatorDo.WAIVE | OperatorDo.PAY:
                await self._settle_money(cause, request, tell)
            case _:
                assert_never(request.do)

    async def _set_mode(self, cause: Cause, request: Request, tell: Tell) -> None:
        evacuates = request.do is OperatorDo.EVACUATE
        asked = ModeRequest(
            cause.event,
            FacilityMode.EVACUATION if evacuates else FacilityMode.NORMAL,
            request.user,
            request.reason,
            self._clock.now(),
        )
        answer: ModeAnswer | DecisionFailed = await self._persistence.decided(
            cause, lambda: self._store.set_facility_mode(self._setup.id, self._fence, asked)
        )
        if isinstance(answer, DecisionFailed):
            # Not begun later, when nobody expects it any more.
            self._fail(cause.event, request, answer.error)
            return
        if answer.outcome is OperateOutcome.DONE:
            for lane in self._lanes:
                tell(lane, EvacuationChanged(cause, evacuates))
        self._reply(cause.event, request, answer.outcome)

    async def _answer_again(self, message: OperatorAgain) -> None:
        """The same request came once more: say what it came to, if it has come to something."""
        outcome = await self._persistence.written(
            lambda: self._store.operation_outcome(self._setup.id, message.key)
        )
        if outcome is not None:
            request = message.request
            missing = outcome is OperateOutcome.STAY_MISSING
            near = self._near.get((request.user, str(request.id)), ()) if missing else ()
            self._tell_operator(request, outcome, "decided before", near)

    async def _settle_money(self, cause: Cause, request: Request, tell: Tell) -> None:
        # The same for a request that is taken up again after a crash.
        made = uuid5(NAMESPACE_URL, f"{self._setup.id}/operator/{request.user}/{request.id}")
        at = self._clock.now()

        async def settled() -> MoneyAnswer:
            if request.do is OperatorDo.WAIVE:
                waiver = WaiveRequest(
                    event=cause.event,
                    waiver=made,
                    user=request.user,
                    reason=request.reason,
                    at=at,
                    stay=request.stay,
                    ticket=request.ticket,
                    plate=request.plate,
                    amount=request.amount,
                    currency=request.currency,
                )
                return await self._store.waive(self._setup.id, self._fence, waiver)
            assert request.amount is not None
            assert request.currency is not None
            payment = PayRequest(
                event=cause.event,
                payment=made,
                user=request.user,
                reason=request.reason,
                at=at,
                amount=request.amount,
                currency=request.currency,
                provider=request.provider,
                txn=f"{self._setup.slug}/{request.user}#{request.id}",
                stay=request.stay,
                ticket=request.ticket,
                plate=request.plate,
            )
            return await self._store.pay_by_hand(self._setup.id, self._fence, payment)

        answer = await self._persistence.written(settled)
        detail = ""
        if answer.outcome is OperateOutcome.DONE:
            for lane in self._lanes:
                tell(lane, PaymentTold(cause.received_monotonic))
            did = "waived" if request.do is OperatorDo.WAIVE else "paid"
            detail = f"ticket {answer.ticket}: {did} {answer.amount}, due {answer.due}"
        self._reply(cause.event, request, answer.outcome, detail)

    async def _refused(self, effect: Operate, outcome: OperateOutcome) -> Operated:
        outcome = await self._refuse(effect.cause.event, effect.request, outcome)
        return Operated(effect.cause, effect.request, outcome, None)

    async def _refuse(
        self, event: EventId, request: Request, outcome: OperateOutcome
    ) -> OperateOutcome:
        refused = RefuseRequest(
            event=event,
            lane=request.lane,
            user=request.user,
            do=request.do,
            reason=request.reason,
            outcome=outcome,
            at=self._clock.now(),
        )
        now_refused = await self._persistence.written(
            lambda: self._store.refuse_operation(self._setup.id, self._fence, refused)
        )
        if not now_refused:
            outcome = OperateOutcome.EVENT_DONE
        self._reply(event, request, outcome)
        return outcome

    def _too_old(self, request: Request, cause: Cause) -> OperateOutcome | None:
        if request.do in AGELESS:
            return None
        if request.at is None and self._backlog.may_hold(cause.received_at):
            return OperateOutcome.UNDATED
        age_max = self._age_max(request)
        waited = (self._clock.now() - cause.received_at).total_seconds()
        late = 0.0 if request.at is None else (cause.received_at - request.at).total_seconds()
        return OperateOutcome.TOO_OLD if waited + max(0.0, late) > age_max else None

    def _age_max(self, request: Request) -> float:
        if request.lane is None:
            return self._age_seconds_max
        return self._lanes[request.lane].policy.event_age_seconds_max

    def _cause(self, message: OperatorHere) -> Cause:
        waited = (self._clock.now() - message.received_at).total_seconds()
        at = message.request.at
        late = None if at is None else max(0.0, (message.received_at - at).total_seconds())
        return Cause(
            message.event,
            message.received_at,
            self._clock.monotonic() - waited,
            None if late is None else waited + late,
        )

    def _reply(
        self,
        event: EventId,
        request: Request,
        outcome: OperateOutcome,
        detail: str = "",
        near: Sequence[Near] = (),
    ) -> None:
        """Log, count and answer; never silence. Whose stays are `near` is for the answer alone."""
        lane = None if request.lane is None else self._lanes.get(request.lane)
        self._reporter.operated(lane, event, request, outcome)
        self._tell_operator(request, outcome, detail, near)

    def _tell_operator(
        self,
        request: Request,
        outcome: OperateOutcome,
        detail: str,
        near: Sequence[Near] = (),
    ) -> None:
        done = outcome is OperateOutcome.DONE
        if not done:
            detail = self._why(request, outcome)
        if near:
            named = ", ".join(f"{one.stay.plate} ({one.reason})" for one in near)
            detail = f"{detail}: it may be {named}"
        error = None if done else outcome.value
        self._announcer.answer(request.user, request.id, error, detail, near)

    def _why(self, request: Request, outcome: OperateOutcome) -> str:
        lane = "no lane is named"
        if request.lane is not None and (shown := self._seen.get(request.lane)) is not None:
            lane = f"this one is {shown.phase}, {shown.mode}"
        return WHY.get(outcome, "").format(
            lanes=", ".join(one.slug for one in self._lanes.values()) or "none",
            seconds=f"{self._age_max(request):g}",
            currency=self._setup.currency,
            needed=NEEDED.get(request.do, "the lane is in no state for it"),
            lane=lane,
        )
