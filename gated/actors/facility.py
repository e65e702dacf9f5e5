"""One facility: the states of its lanes, their timers, and the work that their effects ask for.

It decides nothing about parking (`gated.core.decide` does) and interprets no effect
(`gated.actors.perform` does). It never waits: the effects of a lane are performed beside the
messages, in order within the lane, so that one lane's slow answer holds up no other.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

import structlog

from gated.actors.actor import Actor
from gated.actors.liveness import Liveness
from gated.actors.messages import (
    FacilityMessage,
    ForLane,
    LivenessDue,
    OperatorAgain,
    OperatorHere,
    PaymentAgain,
    PaymentHere,
    RefusedDue,
    SensorHere,
)
from gated.actors.operators import OperatorDesk
from gated.actors.payments import PaymentDesk
from gated.actors.perform import Performer
from gated.actors.reporter import Reporter
from gated.actors.sensing import Sensing
from gated.core.beside import awaiting_elsewhere, lane_beside, vacated
from gated.core.decide import decide
from gated.core.effects import (
    DurableEffect,
    Effect,
    Fault,
    Notice,
    Outcome,
    StartTimer,
    StopTimer,
)
from gated.core.errors import StoreError
from gated.core.events import (
    Admitted,
    Cause,
    ChangeTold,
    DeviceFreshnessChanged,
    EvacuationChanged,
    GrantTakenOver,
    LaneEvent,
    PaymentTold,
    TimerFired,
)
from gated.core.ids import EventId, LaneId
from gated.core.lane import LaneState, shown_of
from gated.core.plates import Plate
from gated.core.rest import is_reopened
from gated.core.restore import restored
from gated.core.serving import withheld
from gated.core.site import FacilitySetup, LaneSetup
from gated.core.snapshot import FacilityMode, LaneMode
from gated.ports import Announcer, Clock, Ids, Store

MAILBOX_CAPACITY = 1024
DELIVERIES_REMEMBERED = 10_000
# Hours begin, and others open what they had closed, without a word to anybody: whoever stands
# refused is decided on once more so often.
REFUSED_LOOK_SECONDS = 30.0
# The place of what is for the facility as a whole among what a message tells lanes.
_FACT = -1

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class FacilityActor(Actor[FacilityMessage]):
    """Feeds each lane's state machine and sees that its effects are performed."""

    def __init__(
        self,
        setup: FacilitySetup,
        *,
        store: Store,
        performer: Performer,
        sensing: Sensing,
        operators: OperatorDesk,
        payments: PaymentDesk,
        replay: Callable[[], Awaitable[Sequence[FacilityMessage]]],
        settle: Callable[[EventId, Outcome], None],
        announcer: Announcer,
        reporter: Reporter,
        liveness: Liveness,
        clock: Clock,
        ids: Ids,
    ) -> None:
        super().__init__(
            f"facility/{setup.slug}", capacity=MAILBOX_CAPACITY, on_poison=self._poisoned
        )
        self._setup = setup
        self._store = store
        self._performer = performer
        self._sensing = sensing
        self._operators = operators
        self._payments = payments
        self._replay = replay
        self._settle = settle
        self._announcer = announcer
        self._reporter = reporter
        self._liveness = liveness
        self._clock = clock
        self._ids = ids
        self._lanes = {lane.id: lane for lane in setup.lanes}
        self._states: dict[LaneId, LaneState] = {}
        self._effects: dict[LaneId, deque[DurableEffect]] = {}
        self._delivered: dict[tuple[EventId, int], None] = {}

    async def started(self) -> None:
        """Rebuild the lanes from the database, then take up what the inbox still holds.

        No command is sent merely because of this: a vehicle that was let through before is
        awaited, one that was asked to pay may pay yet, hardware that was broken is so still, and
        what is delivered again opens nothing once it is too old.
        """
        now = self._clock.now()
        # A vehicle that does not move is waited for once more, and may then stand on the loop.
        horizon = 3 * max(
            (lane.policy.passage_seconds_max for lane in self._setup.lanes), default=0
        )
        granted = await self._store.pending_passages(
            self._setup.id, now - timedelta(seconds=horizon)
        )
        passages = {passage.lane: passage for passage in granted}
        asked = {one.lane: one for one in await self._store.asked_payments(self._setup.id)}
        faults: dict[LaneId, dict[Fault, datetime]] = {}
        for one in await self._store.standing_faults(self._setup.id):
            faults.setdefault(one.lane, {})[one.fault] = one.since
        modes = await self._store.modes(self._setup.id)
        evacuating = modes.facility is FacilityMode.EVACUATION
        self._states = {}
        self._effects = {lane: deque() for lane in self._lanes}
        self._delivered = {}
        for lane in self._setup.lanes:
            mode = modes.lanes.get(lane.id, LaneMode.IN_SERVICE)
            state, effects = restored(
                lane,
                passages.get(lane.id),
                now,
                mode,
                evacuating=evacuating,
                asked=asked.get(lane.id),
                faults=faults.get(lane.id),
            )
            self._states[lane.id] = state
            for fault in sorted(state.faults):
                self._reporter.fault_stands(lane, fault)
            self._show(lane, state)
            self._take_up(lane, effects)
        for device in self._liveness.offline:
            self._step(ForLane(device.lane, DeviceFreshnessChanged(device.id, fresh=False)))
        self._look_again()
        self.set_timer("refused", REFUSED_LOOK_SECONDS, RefusedDue())
        for message in await self._replay():
            await self.handle(message)

    def _look_again(self) -> None:
        if (seconds := self._liveness.look_seconds) is not None:
            self.set_timer("liveness", seconds, LivenessDue())

    async def handle(self, message: FacilityMessage) -> None:
        match message:
            case ForLane():
                self._step(message)
            case PaymentHere() | SensorHere() | OperatorHere():
                # One that is stored while this starts is taken up from there, and handed over too.
                if not self._was_delivered((message.event, _FACT)):
                    self._begin(message)
            case PaymentAgain() | OperatorAgain():
                self._begin(message)
            case LivenessDue():
                for change in self._liveness.fallen_silent():
                    self._step(ForLane(change.device.lane, change.told))
                self._look_again()
            case RefusedDue():
                self.change_told()
                self.set_timer("refused", REFUSED_LOOK_SECONDS, RefusedDue())
            case _:
                assert_never(message)

    def _begin(
        self, message: PaymentHere | PaymentAgain | SensorHere | OperatorHere | OperatorAgain
    ) -> None:
        match message:
            case PaymentHere() | PaymentAgain():
                counted = partial(self._payment_counted, self._clock.monotonic())
                self.begin_work("payment", self._payments.take(message, counted))
            case SensorHere():
                self.begin_work("sensor", self._note_sensor(message))
            case OperatorHere() | OperatorAgain():
                self.begin_work("operator", self._operators.take(message, self.lane_event))
            case _:
                assert_never(message)

    def _payment_counted(self, heard_monotonic: float) -> None:
        """Whoever waits for a payment looks at once."""
        for lane in self._lanes:
            self.tell_self(ForLane(lane, PaymentTold(heard_monotonic)))

    def change_told(self) -> None:
        """A refusal may have ended, as when room came free: whoever stands refused is decided on
        once more, under an id that is drawn here."""
        for lane in self._lanes:
            self._tell_change(lane)

    def _tell_change(self, lane: LaneId) -> None:
        change = ChangeTold(EventId(self._ids.new()), self._clock.monotonic())
        self.tell_self(ForLane(lane, change))

    async def _note_sensor(self, message: SensorHere) -> None:
        try:
            await self._sensing.note(message)
        except StoreError as error:
            self._poisoned(message, error)

    def _step(self, message: ForLane) -> None:
        lane = self._lanes.get(message.lane)
        if lane is None or self._was_delivered(message.delivery):
            return
        before = self._states[lane.id]
        after, effects = decide(lane, before, message.event, self._clock.now())
        self._states[lane.id] = after
        self._show(lane, after, before)
        self._take_up(lane, effects)
        if isinstance(message.event, Admitted):
            stay = message.event.stay
            for other in awaiting_elsewhere(lane, stay, self._states):
                self.tell_self(ForLane(other, GrantTakenOver(stay)))
        if is_reopened(before, after):
            self._tell_change(lane.id)

    def _was_delivered(self, delivery: tuple[EventId, int] | None) -> bool:
        if delivery is None:
            return False
        if delivery in self._delivered:
            return True
        self._delivered[delivery] = None
        if len(self._delivered) > DELIVERIES_REMEMBERED:
            del self._delivered[next(iter(self._delivered))]
        return False

    def _take_up(self, lane: LaneSetup, effects: Sequence[Effect]) -> None:
        queue = self._effects[lane.id]
        idle = not queue
        for effect in effects:
            match effect:
                case StartTimer(name, token, seconds):
                    fired = ForLane(lane.id, TimerFired(name, token))
                    self.set_timer((lane.id, name), seconds, fired)
                case StopTimer(name):
                    self.cancel_timer((lane.id, name))
                case _:
                    if isinstance(effect, Notice):
                        # Told at once, and kept in its turn.
                        self._reporter.noticed(lane, effect)
                    queue.append(effect)
        if idle and queue:
            self.begin_work(lane.slug, self._perform_all(lane))

    async def _perform_all(self, lane: LaneSetup) -> None:
        queue = self._effects[lane.id]
        while queue:
            # It stays at the head until it is done: that is how `_take_up` knows of the work.
            answer = await self._performer.perform(lane, queue[0])
            queue.popleft()
            if answer is not None:
                self.tell_self(ForLane(lane.id, answer))

    def _show(self, lane: LaneSetup, state: LaneState, before: LaneState | None = None) -> None:
        """Tell what the lane is doing, where that is news."""
        shown = shown_of(state)
        self._operators.seen(lane.id, shown)
        earlier = shown_of(before) if before is not None else None
        called = None if earlier is None else earlier.call
        if earlier is None or called != shown.call:
            self._reporter.called(lane, called, shown.call)
        if earlier is None or earlier.phase != shown.phase:
            self._reporter.entered(lane, state)
        elif replace(earlier, since=shown.since) == shown:
            return
        self._announcer.lane_state(lane.slug, shown)

    def lane_beside(self, lane: LaneSetup) -> LaneSetup | None:
        """The lane that serves at this moment in the place of one that does not."""
        return lane_beside(lane, self._lanes, self._states, self._clock.now())

    def vacated(self, lane: LaneSetup, plate: Plate) -> LaneId | None:
        """The other entry that has let this plate in, and whose vehicle has backed out of it."""
        return vacated(lane, plate, self._lanes, self._states)

    def withheld(self, lane: LaneSetup) -> bool:
        """Whether what the lane is granted at this moment is not to open it any more."""
        return withheld(lane, self._states[lane.id]) is not None

    def evacuation_changed(self, cause: Cause, *, on: bool) -> None:
        """The facility is being evacuated, or is not any more: every lane is told."""
        for lane in self._lanes:
            self.tell_self(ForLane(lane, EvacuationChanged(cause, on)))

    def lane_event(self, lane: LaneId, event: LaneEvent) -> None:
        """An event from the relay; never refused, for it is the end of a command of our own."""
        self.tell_self(ForLane(lane, event))

    def _poisoned(self, message: FacilityMessage, error: Exception) -> None:
        # Or the same message would come back from the inbox and crash the next incarnation.
        if isinstance(message, PaymentHere | SensorHere | OperatorHere):
            self._settle(message.event, Outcome.FAILED)
        elif isinstance(message, ForLane) and message.delivery is not None:
            self._settle(message.delivery[0], Outcome.FAILED)
        told = message.event if isinstance(message, ForLane) else message
        _log.error(
            "facility.message_failed",
            facility=self._setup.slug,
            message=type(told).__name__,
            error=repr(error),
        )
