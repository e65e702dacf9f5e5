"""Where a lane comes to rest, with the timers and faults that every step may need."""

from dataclasses import dataclass, replace
from datetime import datetime

from gated.core.effects import Do, Effect, Fault, NoteFault, SendCommand, StartTimer, StopTimer
from gated.core.events import Cause, DeviceEvent, LaneEvent, OperatorDo, Reported, TimerName
from gated.core.ids import EventId
from gated.core.lane import LaneState
from gated.core.phases import (
    Closed,
    Denied,
    Held,
    Idle,
    Occupied,
    OutOfService,
    Phase,
    timers_of,
)
from gated.core.reasons import DenyReason
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import LaneMode

Decision = tuple[LaneState, tuple[Effect, ...]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One event on its way through the table: the lane as it is set up and as it is, and when.

    `cause` is the event's own where it has one. `changed`: the contact is other than it was.
    """

    lane: LaneSetup
    state: LaneState
    event: LaneEvent
    cause: Cause | None
    now: datetime
    changed: bool = False

    @property
    def reported(self) -> DeviceEvent | None:
        """What a device reports, if it is that."""
        return self.event.event if isinstance(self.event, Reported) else None

    def stay(self) -> Decision:
        """Nothing is to be done."""
        return self.state, ()


def resting(lane: LaneSetup, state: LaneState, now: datetime) -> Decision:
    """The phase of a lane that serves nobody, and the timer that it has."""
    phase = _resting_phase(lane, state)
    if isinstance(phase, Held) and not isinstance(state.phase, Held) and state.stood is not None:
        # It has stood there since before the lane was to stand open.
        return state.enter(phase, now), open_held(lane, state, state.stood)
    denied = _refused_there(lane, state)
    if isinstance(phase, Closed | OutOfService):
        return state.enter(replace(phase, denied=denied), now), ()
    if not isinstance(phase, Occupied):
        return state.enter(phase, now), ()
    if denied is not None and isinstance(state.phase, Closed | OutOfService):
        # It was read, and need not be read anew: it is decided on once more.
        return refused_as_before(state, denied), ()
    state, timer = start_timer(state, TimerName.READ, lane.policy.read_seconds_max)
    return state.enter(phase, now), (timer,)


def _resting_phase(lane: LaneSetup, state: LaneState) -> Phase:
    if state.evacuating:
        return Closed() if lane.direction is Direction.ENTRY else Held()
    if state.mode is LaneMode.HELD:
        return Held()
    if state.mode is LaneMode.CLOSED:
        return Closed()
    if Fault.ARM_STUCK in state.faults:
        return OutOfService()
    return Occupied() if lane.presence_loop and state.presence else Idle()


def stands_refused(lane: LaneSetup, state: LaneState, denied: Denied | None) -> bool:
    """Whether a loop proves that the one stands there still that was refused, for what may end."""
    refusal = denied.refusal if denied is not None else None
    if refusal is None or not lane.presence_loop or Fault.PRESENCE_LOOP_STUCK in state.faults:
        return False
    return state.presence and state.stood == refusal.stood


def _refused_there(lane: LaneSetup, state: LaneState) -> Denied | None:
    match state.phase:
        case Denied() as denied:
            pass
        case Closed(Denied() as denied) | OutOfService(Denied() as denied):
            pass
        case _:
            return None
    return denied if stands_refused(lane, state, denied) else None


def refused_as_before(state: LaneState, denied: Denied) -> LaneState:
    """The lane with the one that stands there as it was refused, and since then."""
    assert denied.refusal is not None
    return state.enter(denied, denied.refusal.since)


def is_reopened(before: LaneState, after: LaneState) -> bool:
    """Whether the lane serves again, and somebody stands there whom it refused."""
    return isinstance(before.phase, Closed | OutOfService) and isinstance(after.phase, Denied)


def shut_by(lane: LaneSetup, state: LaneState) -> DenyReason | None:
    """Why nothing may be granted here at this moment, whoever asks; None: it may.

    A lane that is closed or held by somebody still serves the one that it is serving.
    """
    if state.evacuating and lane.direction is Direction.ENTRY:
        return DenyReason.EVACUATION
    return DenyReason.OUT_OF_SERVICE if Fault.ARM_STUCK in state.faults else None


def stands_open(lane: LaneSetup, state: LaneState) -> bool:
    """Whether the arm is ordered up for everybody: nobody can be told otherwise there."""
    if state.evacuating:
        return lane.direction is not Direction.ENTRY
    return state.mode is LaneMode.HELD


def why_held(state: LaneState) -> str:
    """The reason of what the arm of a lane that is to stand open is told."""
    return DenyReason.EVACUATION if state.evacuating else f"operator_{OperatorDo.HOLD}"


def open_held(lane: LaneSetup, state: LaneState, event: EventId) -> tuple[Effect, ...]:
    """Open for the one vehicle that this event tells of, at a lane that is to stand open and whose
    barrier cannot be told to stay up."""
    return () if lane.holds else (SendCommand(event, Do.OPEN, why_held(state)),)


def start_timer(state: LaneState, name: TimerName, seconds: float) -> tuple[LaneState, StartTimer]:
    """A timer with a token of its own; an earlier one that fires late is then not mistaken."""
    token = state.timer_token + 1
    return replace(state, timer_token=token), StartTimer(name, token, seconds)


def stopped(phase: Phase) -> tuple[StopTimer, ...]:
    """Stop the timer that may run in a phase which is left."""
    return tuple(StopTimer(name) for name in timers_of(phase)[:1])


def with_fault(
    state: LaneState, fault: Fault, now: datetime, *, on: bool, cause: Cause | None = None
) -> Decision:
    """Raise or clear a fault; what is so already is not told again."""
    if (fault in state.faults) is on:
        return state, ()
    faults = state.faults | {fault} if on else state.faults - {fault}
    return replace(state, faults=faults), (NoteFault(fault, on, now, cause),)
