"""The table of the lane as it is: what comes of each signal in each phase, a line for each outcome.

`tests/core/data/transitions.txt` holds what was looked at and found right, and `test_table.py`
compares. After a change that is meant, write it anew and read what has changed in it:

    .venv/bin/python -m tests.core.table

A line reads: phase, signal, next phase, in braces what else the lane remembers differently, and
the effects. All set-ups of `LANES` and all that a lane may remember in `_states` are driven; equal
outcomes are one line. The lines are sorted, so that two changes merge like any text.
"""

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from gated.core.decide import decide
from gated.core.effects import (
    Deny,
    Effect,
    Fault,
    FreeKind,
    NoteCommand,
    NoteFault,
    Notice,
    PassFreely,
    SendCommand,
    Settle,
    StartTimer,
    StopTimer,
)
from gated.core.events import (
    BarrierReported,
    BarrierState,
    ChangeTold,
    CommandEnded,
    InputChanged,
    InputName,
    LaneEvent,
    PaymentTold,
    PlateRead,
    PlateUnread,
    Reported,
    TimerFired,
)
from gated.core.lane import Crossing, LaneState
from gated.core.phases import (
    AwaitingPayment,
    Deciding,
    Grant,
    Occupied,
    Open,
    Opening,
    Passing,
    Phase,
    phase_name,
    timers_of,
)
from gated.core.site import ButtonTicket, Direction, LanePolicy, LaneSetup, UnpaidExit
from gated.core.snapshot import LaneMode
from gated.core.transitions import Signal
from tests.core.support import OPEN, OTHER_CAR, START, ZONE_A, at, cause_of, lane_of, read_of
from tests.core.test_every_pair import (
    ANSWERS,
    EVENTS,
    HERE_ALONE,
    PHASES,
    SERVICE,
    TOKEN,
    WITH_QUEUE,
)

FILE = Path(__file__).parent / "data" / "transitions.txt"
HEADER = (
    "# What comes of each signal in each phase: written by tests/core/table.py, read by people.\n"
)
# Of each report of the arm the lane is told as of a change.
_MOVED = {
    BarrierState.OPENED: (Signal.ARM_UP, BarrierState.CLOSED),
    BarrierState.CLOSED: (Signal.ARM_DOWN, BarrierState.OPENED),
    BarrierState.FAULT: (Signal.ARM_BROKEN, BarrierState.CLOSED),
}
_POLICY = LanePolicy(
    unpaid_exit=UnpaidExit.WAIT, match_distance_max=1, button_ticket=ButtonTicket.ADMIT
)


def _lane(direction: Direction) -> LaneSetup:
    zones = () if direction is Direction.EXIT else (ZONE_A,)
    return lane_of(direction, zones=zones, policy=_POLICY, arm_switch=True)


_IN, _OUT, _ON = (_lane(way) for way in (Direction.ENTRY, Direction.EXIT, Direction.TRANSFER))
# Each way with all that a lane may have; with a closing loop alone; without one; and an exit that
# nothing holds open.
LANES = (
    *(_IN, _OUT, _ON),
    *(replace(lane, presence_loop=False, arm_switch=False) for lane in (_IN, _OUT)),
    replace(_IN, closing_loop=False),
    replace(_OUT, holds=False),
)


def lines() -> list[str]:
    """The table, sorted."""
    found = {
        _line(state.phase, signal, lane, state, event)
        for phase, (signal, event), lane in itertools.product(PHASES, _signals(), LANES)
        for state in _states(lane, _fitting(lane, phase), event)
        if not isinstance(event, TimerFired) or event.name in timers_of(phase)
    }
    return sorted(found)


def _signals() -> Iterator[tuple[Signal, LaneEvent]]:
    for event in EVENTS:
        signal = _signal(event)
        if signal is not None:
            yield signal, event


def _signal(event: LaneEvent) -> Signal | None:
    match event:
        case Reported(_, PlateRead()):
            return Signal.READ
        case Reported(_, PlateUnread()):
            return Signal.UNREAD
        case Reported(_, InputChanged(InputName.PRESENCE, on)):
            return Signal.STOOD if on else Signal.LEFT
        case Reported(_, InputChanged(InputName.CLOSING, on)):
            return Signal.REACHED if on else Signal.CLEARED
        case Reported(_, BarrierReported(state)):
            return _MOVED[state][0] if state in _MOVED else None
        case TimerFired(_, token):
            return Signal.TIMER if token == TOKEN else None
        case CommandEnded():
            return Signal.COMMAND_ENDED
        case PaymentTold():
            return Signal.PAYMENT_TOLD
        case ChangeTold():
            return Signal.CHANGE_TOLD
        case _:
            return Signal.ANSWERED if isinstance(event, ANSWERS) else None


def _fitting(lane: LaneSetup, phase: Phase) -> Phase:
    """The phase with the grant that this lane gives: an exit enters no zone, a transfer moves."""
    match phase:
        case Opening(grant) | Open(grant) | Passing(grant):
            return replace(phase, grant=_granted(lane, grant))
        case Deciding(earlier=Grant() as earlier):
            return replace(phase, earlier=_granted(lane, earlier))
        case _:
            return phase


def _granted(lane: LaneSetup, grant: Grant) -> Grant:
    zone = None if lane.direction is Direction.EXIT else grant.zone
    return replace(grant, zone=zone, moved=lane.direction is Direction.TRANSFER)


def _states(lane: LaneSetup, phase: Phase, event: LaneEvent) -> Iterator[LaneState]:
    """The lane with nobody beside; somebody behind, one under the arm, a command sent; one that
    followed another onto the closing loop; and who was asked to pay on both loops."""
    if isinstance(phase, Deciding) and phase.read is None and lane.direction is not Direction.ENTRY:
        return  # tickets are given at entries
    told = event.event if isinstance(event, Reported) else None
    closing = isinstance(told, InputChanged) and told.name is InputName.CLOSING and not told.on
    arm = _MOVED[told.state][1] if isinstance(told, BarrierReported) else None
    for presence in (True, False) if lane.presence_loop else (False,):
        if lane.presence_loop and isinstance(phase, HERE_ALONE | Occupied) and not presence:
            continue
        if not lane.presence_loop and isinstance(phase, Occupied):
            continue
        stood = cause_of(1).event if presence else None
        plain = LaneState(
            since=START,
            phase=phase,
            presence=presence,
            stood=stood,
            closing=closing,
            timer_token=TOKEN,
            arm=arm,
            mode=SERVICE.get(type(phase), LaneMode.IN_SERVICE),
            faults=frozenset({Fault.ARM_STUCK} if phase_name(phase) == "out_of_service" else ()),
        )
        yield plain
        queued = (read_of(OTHER_CAR), cause_of(3, 2)) if isinstance(phase, WITH_QUEUE) else None
        under = Crossing(FreeKind.UNEXPLAINED) if closing else None
        yield replace(plain, waiting=queued, crossing=under, sent=(OPEN,))
        if lane.closing_loop and presence and _is_asked(phase):
            rolls = Crossing(FreeKind.EXIT_WITHOUT_PAYMENT, read_of(), stood=stood)
            yield replace(plain, closing=True, crossing=rolls)
        if not lane.closing_loop or not presence or closing:
            continue
        if isinstance(told, InputChanged) and not told.on:
            followed = Crossing(FreeKind.TAILGATING, stood=stood, followed=True)
            yield replace(plain, closing=True, crossing=followed)


def _is_asked(phase: Phase) -> bool:
    """Whether somebody was asked to pay, who may roll onto the closing loop."""
    return isinstance(phase, AwaitingPayment) or (
        isinstance(phase, Deciding) and phase.asked is not None
    )


def _line(phase: Phase, signal: Signal, lane: LaneSetup, state: LaneState, event: LaneEvent) -> str:
    after, effects = decide(lane, state, event, at(3))
    words = [phase_name(phase), signal.name.lower(), "->", phase_name(after.phase)]
    if changed := sorted(_changed(state, after, event)):
        words.append("{" + ", ".join(changed) + "}")
    return " ".join([*words, *(_word(effect) for effect in effects)])


def _changed(before: LaneState, after: LaneState, event: LaneEvent) -> Iterator[str]:
    """What is remembered differently; not what each event sets, and what a new phase sets anew."""
    unsaid = {"phase", "since", "heard_monotonic", "timer_token", "call", "seen"}
    unsaid |= {"presence", "closing", "stood", "presence_left_at", "arm"}
    for field in fields(LaneState):
        if field.name not in unsaid and getattr(before, field.name) != getattr(after, field.name):
            yield field.name
    if type(before.phase) is type(after.phase):
        for field in fields(type(before.phase)):
            if getattr(before.phase, field.name) != getattr(after.phase, field.name):
                yield f"its {field.name}"


def _word(effect: Effect) -> str:
    name = type(effect).__name__
    match effect:
        case Deny(reason=reason, show=show):
            return f"{name}({reason}{'' if show else ', unshown'})"
        case Notice(about):
            return f"{name}({about})"
        case NoteFault(fault, on):
            return f"{name}({fault}{'' if on else ', over'})"
        case NoteCommand(_, status):
            return f"{name}({status})"
        case PassFreely(kind=kind):
            return f"{name}({kind})"
        case SendCommand(do=do):
            return f"{name}({do})"
        case Settle(_, outcome):
            return f"{name}({outcome})"
        case StartTimer(timer) | StopTimer(timer):
            return f"{name}({timer})"
        case _:
            return name


if __name__ == "__main__":
    FILE.write_text(HEADER + "".join(f"{line}\n" for line in lines()))
