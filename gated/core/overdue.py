"""What a lane does when a timer has run out, phase by phase."""

from dataclasses import replace
from datetime import timedelta

from gated.core.effects import Deny, Fault, Notice, PassageKnown
from gated.core.events import (
    TimerFired,
    TimerName,
)
from gated.core.judging import look_for_payment, wait_for_payment
from gated.core.phases import Approached, AwaitingPayment, Grant, Open, Opening, Passing
from gated.core.reads import unread_vehicle
from gated.core.reasons import DenyReason
from gated.core.rest import Decision, Turn, with_fault
from gated.core.serving import (
    ask_again,
    await_arm,
    await_vehicle,
    break_down,
    complete,
    finish,
    give_up,
    go_unpaid,
    may_stand_there,
    turn_back,
)


def never_came(turn: Turn) -> Decision:
    """Whoever was read has not arrived."""
    phase = turn.state.phase
    assert isinstance(phase, Approached)
    denial = Deny(phase.cause, DenyReason.NO_PRESENCE, phase.read, show=False)
    state, effects = finish(turn.lane, turn.state, turn.now)
    return state, (denial, *effects)


def never_read(turn: Turn) -> Decision:
    """A vehicle stands there, and no camera says who it is."""
    return unread_vehicle(turn.lane, turn.state, None, turn.now)


def pay_overdue(turn: Turn) -> Decision:
    """Look again whether it was paid, if whoever was asked is there; if not, it had its time."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    if not may_stand_there(turn.lane, turn.state):
        if not isinstance(turn.event, TimerFired):
            # It is looked when it is back.
            return turn.stay()
        return go_unpaid(turn.lane, turn.state, phase, turn.now)
    if phase.recalled and isinstance(turn.event, TimerFired):
        return _recalled(turn, phase)
    if phase.matching is not None:
        # Whose it is may be another's stay: that is asked about at once.
        return wait_for_payment(turn.lane, turn.state, phase, turn.now)
    return look_for_payment(turn.state, phase, turn.now)


def _recalled(turn: Turn, phase: AwaitingPayment) -> Decision:
    """Asked before a restart, and nothing fresh tells that it is there: nobody looks. Where no loop
    could tell that it leaves, it has its time."""
    longest = timedelta(seconds=turn.lane.policy.payment_seconds_max)
    if not turn.lane.presence_loop and turn.now - phase.since >= longest:
        return go_unpaid(turn.lane, turn.state, phase, turn.now)
    return wait_for_payment(turn.lane, turn.state, phase, turn.now)


def opening_overdue(turn: Turn) -> Decision:
    """The arm did not go up, or the vehicle did not move."""
    phase, event, lane, state = turn.state.phase, turn.event, turn.lane, turn.state
    assert isinstance(phase, Opening)
    assert isinstance(event, TimerFired)
    if event.name is TimerName.PASSAGE:
        return passage_overdue(turn)
    grant, policy = phase.grant, lane.policy
    proven = lane.presence_loop and state.presence
    tries_max = policy.open_tries_max if lane.open_repeatable else 1
    if not proven or phase.tries >= tries_max:
        return break_down(lane, state, grant, "arm_not_opened", turn.now)
    # The vehicle stands on the loop now: that is the evidence for asking once more.
    again = ask_again(lane, grant, "arm_not_opened", turn.now)
    asked = Opening(replace(grant, command=None), phase.tries + 1, asking=True)
    state, effects = await_arm(lane, state, asked, turn.now)
    return state, (Notice("arm_not_opened"), *effects, again)


def passage_overdue(turn: Turn) -> Decision:
    """The vehicle has had its time."""
    lane, state, now, phase = turn.lane, turn.state, turn.now, turn.state.phase
    assert isinstance(phase, Opening | Open)
    grant = phase.grant
    stands_there = lane.presence_loop and state.presence
    if stands_there and grant.command is not None:
        # Its open command has had its time: from now on a fresh read is decided anew.
        state = state.forget(grant.plate)
        dead = replace(phase, grant=replace(grant, command=None, overdue=True))
        state, effects = await_vehicle(lane, state, dead, now)
        return state, (Notice("vehicle_not_moving"), *effects)
    if lane.closing_loop and state.closing:
        # It has been on since before the arm opened, so it cannot tell who passed.
        return _assumed(turn, grant)
    if stands_there:
        return give_up(lane, state, grant, "no_passage", now)
    if lane.closing_loop:
        return turn_back(lane, state, grant, now)
    return complete(lane, state, grant, PassageKnown.ASSUMED, now)


def passing_overdue(turn: Turn) -> Decision:
    """A vehicle does not stand under the arm for so long: the loop is stuck."""
    phase = turn.state.phase
    assert isinstance(phase, Passing)
    return _assumed(turn, phase.grant)


def _assumed(turn: Turn, grant: Grant) -> Decision:
    state, raised = with_fault(turn.state, Fault.CLOSING_LOOP_STUCK, turn.now, on=True)
    state, effects = complete(turn.lane, state, grant, PassageKnown.ASSUMED, turn.now)
    return state, (Notice("closing_loop_stuck"), *raised, *effects)


def closing_overdue(turn: Turn) -> Decision:
    """The arm stays up though its vehicle is through."""
    state, raised = with_fault(turn.state, Fault.ARM_NOT_CLOSED, turn.now, on=True)
    state, effects = finish(turn.lane, state, turn.now)
    return state, (*raised, *effects)


def nobody_came(turn: Turn) -> Decision:
    """It was opened by hand, and nobody went through as far as the loops can tell."""
    state = turn.state
    if not state.closing:
        state = replace(state, crossing=None)
    state, effects = finish(turn.lane, state, turn.now)
    if state.crossing is not None:
        # It stands under the arm, and is recorded when it goes on.
        return state, effects
    return state, (Notice("nobody_passed"), *effects)


def loop_overdue(turn: Turn) -> Decision:
    """Nobody stands unread before a barrier for so long: the loop is stuck, where there is one."""
    if not turn.lane.presence_loop:
        return turn.stay()
    return with_fault(turn.state, Fault.PRESENCE_LOOP_STUCK, turn.now, on=True)
