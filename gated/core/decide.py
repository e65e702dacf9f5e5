"""Decide: one lane's state and one event give the next state and what is to be done.

No I/O, no clock, no randomness. Results of effects come back as events, so that everything
which can happen to a lane passes through here, one event at a time. First the lane notes what the
event tells of its loops, its arm and its devices; then `gated.core.transitions` says what the
event asks for in the phase that the lane is in.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from gated.core.calls import with_call
from gated.core.effects import Fault, Outcome, Settle
from gated.core.events import (
    BarrierReported,
    BarrierState,
    Cause,
    ChangeTold,
    CommandAnswered,
    CommandEnded,
    CommandSent,
    DenialShown,
    DeviceEvent,
    DeviceFreshnessChanged,
    DeviceOnlineChanged,
    EvacuationChanged,
    GrantTakenOver,
    InputChanged,
    InputName,
    LaneEvent,
    Operated,
    PaymentTold,
    PlateRead,
    PlateUnread,
    Reported,
    Requested,
    TimerFired,
    VehicleLost,
)
from gated.core.ids import DeviceId
from gated.core.lane import LaneState
from gated.core.operating import evacuation_changed, fire, operated, requested
from gated.core.outgoing import command_answered, command_sent
from gated.core.phases import timers_of
from gated.core.reads import is_no_plate, sifted
from gated.core.recalled import asked_before, without_question
from gated.core.rest import Decision, Turn, with_fault
from gated.core.serving import let_go
from gated.core.site import LaneSetup
from gated.core.tickets import pressed
from gated.core.transitions import Signal, step


def decide(lane: LaneSetup, state: LaneState, event: LaneEvent, now: datetime) -> Decision:
    """The lane's next state, and the effects to perform in this order."""
    after, effects = _decided(lane, state, event, now)
    return with_call(lane, state, after, now), effects


def _decided(lane: LaneSetup, state: LaneState, event: LaneEvent, now: datetime) -> Decision:
    match event:
        case Reported(cause, reported):
            return _on_reported(lane, state, event, cause, reported, now)
        case TimerFired() | CommandEnded() | CommandSent() | PaymentTold() | ChangeTold():
            return _on_own(Turn(lane, state, event, None, now), event)
        case DenialShown(_, command):
            return state.with_sent(command), ()
        case Requested(cause):
            return requested(Turn(lane, state, event, cause, now))
        case Operated(cause):
            return operated(Turn(lane, state, event, cause, now))
        case EvacuationChanged(cause):
            return evacuation_changed(Turn(lane, state, event, cause, now))
        case GrantTakenOver(stay):
            return let_go(lane, state, stay, now)
        case DeviceFreshnessChanged(device, fresh):
            return _on_liveness(state, device, None, now, online=fresh)
        case _:
            return step(Turn(lane, state, event, event.cause, now), Signal.ANSWERED)


def _on_own(
    turn: Turn, event: TimerFired | CommandEnded | CommandSent | PaymentTold | ChangeTold
) -> Decision:
    match event:
        case TimerFired(name, token):
            # An earlier one may have fired before it was stopped or started anew.
            runs = token == turn.state.timer_token and name in timers_of(turn.state.phase)
            return step(turn, Signal.TIMER) if runs else turn.stay()
        case CommandEnded():
            return step(turn, Signal.COMMAND_ENDED)
        case CommandSent():
            return command_sent(turn)
        case PaymentTold(received_monotonic):
            heard = max(received_monotonic, turn.state.heard_monotonic)
            state = replace(turn.state, heard_monotonic=heard)
            return step(replace(turn, state=state), Signal.PAYMENT_TOLD)
        case ChangeTold():
            return step(turn, Signal.CHANGE_TOLD)
        case _:
            assert_never(event)


def _on_reported(
    lane: LaneSetup,
    state: LaneState,
    event: Reported,
    cause: Cause,
    reported: DeviceEvent,
    now: datetime,
) -> Decision:
    if isinstance(reported, PlateRead) and is_no_plate(lane.policy, reported):
        # Not even a sign of life of a camera that sees plates.
        return state, (Settle(cause, Outcome.IGNORED),)
    before = state
    state, noted = _noted(replace(state, heard_monotonic=cause.received_monotonic), event, now)
    turn = Turn(lane, state, event, cause, now)
    match reported:
        case PlateRead():
            state, effects = (
                asked_before(turn, cause, reported)
                or sifted(turn, cause, reported)
                or step(turn, Signal.READ)
            )
            return state, (*noted, *effects)
        case PlateUnread():
            state, effects = step(turn, Signal.UNREAD)
            return state, (*noted, *effects)
        case InputChanged(InputName.BUTTON):
            state, effects = pressed(turn)
            return state, (*noted, *effects)
        case InputChanged():
            state, effects = _on_input(turn, reported, changed=_changed(before, state))
        case BarrierReported():
            moved = before.arm is not state.arm and not before.arm_unsaid
            state, effects = _on_arm(replace(turn, changed=moved), reported)
        case CommandAnswered():
            state, effects = command_answered(turn)
        case VehicleLost() | DeviceOnlineChanged():
            effects = ()
        case _:
            assert_never(reported)
    return state, (*noted, *effects, Settle(cause, Outcome.NOTED))


def _changed(before: LaneState, after: LaneState) -> bool:
    return (before.presence, before.closing) != (after.presence, after.closing)


def _on_input(turn: Turn, event: InputChanged, *, changed: bool) -> Decision:
    match event.name:
        case InputName.PRESENCE:
            turn = replace(turn, changed=changed)
            return step(turn, Signal.STOOD if event.on else Signal.LEFT)
        case InputName.CLOSING:
            # A box that repeats its contacts every few seconds tells nothing new.
            if not changed:
                return turn.stay()
            return step(turn, Signal.REACHED if event.on else Signal.CLEARED)
        case InputName.FIRE:
            return fire(turn)
        case InputName.BUTTON:
            raise AssertionError("the button settles its message itself")
        case _:
            assert_never(event.name)


def _on_arm(turn: Turn, report: BarrierReported) -> Decision:
    match report.state:
        case BarrierState.OPENED:
            return step(turn, Signal.ARM_UP)
        case BarrierState.CLOSED:
            return step(turn, Signal.ARM_DOWN)
        case BarrierState.FAULT:
            return step(turn, Signal.ARM_BROKEN)
        case BarrierState.MOVING:
            return turn.stay()
        case _:
            assert_never(report.state)


# ── what the lane notes of itself ───────────────────────────────────────────────────────────


def _noted(state: LaneState, event: Reported, now: datetime) -> Decision:
    """The contacts, the arm and the devices as they now are, and the faults that this disproves."""
    cause = event.cause
    match event.event:
        case InputChanged(InputName.PRESENCE, on):
            state = _with_presence(state, cause, now, on=on)
            return _disproved(state, cause, now, *(() if on else (Fault.PRESENCE_LOOP_STUCK,)))
        case InputChanged(InputName.CLOSING, on):
            # What is stuck cannot come on: that it was clear in between was lost.
            again = on and state.closing and Fault.CLOSING_LOOP_STUCK in state.faults
            again = again or (state.closing_again and not on)
            # Off, as it was before, it may have been on meanwhile.
            state = without_question(state, cause)
            state = replace(state, closing=on, closing_again=again, turned_back=frozenset())
            shown = (Fault.CLOSING_LOOP_SILENT, *(() if on else (Fault.CLOSING_LOOP_STUCK,)))
            return _disproved(state, cause, now, *shown)
        case BarrierReported(BarrierState.CLOSED as arm):
            shown = (Fault.ARM_FORCED, Fault.ARM_NOT_CLOSED, *_shown_moving(state, arm))
            return _disproved(_with_arm(state, arm), cause, now, *shown)
        case BarrierReported(BarrierState.OPENED as arm):
            return _disproved(_with_arm(state, arm), cause, now, *_shown_moving(state, arm))
        case BarrierReported(arm):
            return _with_arm(state, arm), ()
        case DeviceOnlineChanged(online) if cause.device is not None:
            return _on_liveness(state, cause.device, cause, now, online=online)
        case PlateRead():
            return _disproved(replace(state, unread_count=0), cause, now, Fault.CAMERA_SILENT)
        case _:
            return state, ()


def _with_presence(state: LaneState, cause: Cause, now: datetime, *, on: bool) -> LaneState:
    if on is state.presence:
        return state
    state = without_question(state, cause)
    if not on:
        return replace(state, presence=False, stood=None, presence_left_at=now)
    state = replace(state, presence=True, stood=cause.event)
    if state.crossing is None:
        return state
    # Whoever is under the arm, this is another one.
    return replace(state, crossing=replace(state.crossing, stood=None))


def _shown_moving(state: LaneState, arm: BarrierState) -> tuple[Fault, ...]:
    """What an arm disproves that is elsewhere than it was; saying the same again shows nothing."""
    return () if state.arm is arm or state.arm_unsaid else (Fault.ARM_STUCK,)


def _with_arm(state: LaneState, arm: BarrierState) -> LaneState:
    return replace(state, arm=arm, arm_unsaid=False)


def _disproved(state: LaneState, cause: Cause, now: datetime, *faults: Fault) -> Decision:
    cleared: Decision = (state, ())
    for fault in faults:
        if any(fault is one and cause.received_at <= at for one, at in state.faults_before):
            # Said before the fault was raised, and delivered again.
            continue
        state, effects = with_fault(cleared[0], fault, now, on=False, cause=cause)
        cleared = state, (*cleared[1], *effects)
    return cleared


def _on_liveness(
    state: LaneState, device: DeviceId, cause: Cause | None, now: datetime, *, online: bool
) -> Decision:
    one = {device}
    state = replace(state, offline=state.offline - one if online else state.offline | one)
    return with_fault(state, Fault.DEVICE_OFFLINE, now, on=bool(state.offline), cause=cause)
