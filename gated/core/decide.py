"""Decide: one lane's state and one event give the next state and what is to be done.

No I/O, no clock, no randomness. Results of effects come back as events, so that everything
which can happen to a lane passes through here, one event at a time. Which step an event asks
for is in `gated.core.reads`, `sensors` and `answers`; what a step does, in `gated.core.serving`.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from gated.core.answers import on_answer
from gated.core.effects import Deny, DenyReason, Notice, Outcome, PassageKnown, Settle
from gated.core.events import (
    BarrierReported,
    Cause,
    CommandAnswered,
    CommandEnded,
    CommandStatus,
    DenialShown,
    DeviceEvent,
    DeviceOnlineChanged,
    InputChanged,
    LaneEvent,
    PaymentTold,
    PlateRead,
    PlateUnread,
    Reported,
    TimerFired,
    TimerName,
    VehicleLost,
)
from gated.core.lane import Approached, AwaitingPayment, Grant, LaneState, Opening, Passing
from gated.core.reads import on_read, on_unread
from gated.core.sensors import on_barrier, on_command_answered, on_command_ended, on_input
from gated.core.serving import (
    Decision,
    await_passage,
    complete,
    finish,
    give_up,
    look_for_payment,
    lose_command,
)
from gated.core.site import LaneSetup


def decide(lane: LaneSetup, state: LaneState, event: LaneEvent, now: datetime) -> Decision:
    """The lane's next state, and the effects to perform in this order."""
    match event:
        case Reported(cause, reported):
            state = replace(state, heard_monotonic=cause.received_monotonic)
            return _on_reported(lane, state, cause, reported, now)
        case TimerFired(name, token):
            return _on_timer(lane, state, name, token, now)
        case DenialShown(_, command):
            return state.with_sent(command), ()
        case CommandEnded():
            return on_command_ended(lane, state, event, now)
        case PaymentTold():
            if isinstance(state.phase, AwaitingPayment):
                return look_for_payment(state, state.phase, now)
            return state, ()
        case _:
            return on_answer(lane, state, event, now)


def _on_reported(
    lane: LaneSetup, state: LaneState, cause: Cause, event: DeviceEvent, now: datetime
) -> Decision:
    match event:
        case PlateRead():
            return on_read(lane, state, cause, event, now)
        case PlateUnread():
            return on_unread(lane, state, cause, now)
        case InputChanged():
            return _settled(on_input(lane, state, cause, event, now), cause)
        case BarrierReported():
            return _settled(on_barrier(state, cause, event), cause)
        case CommandAnswered():
            return _settled(on_command_answered(lane, state, cause, event, now), cause)
        case VehicleLost() | DeviceOnlineChanged():
            return _settled((state, ()), cause)
        case _:
            assert_never(event)


def _settled(decision: Decision, cause: Cause) -> Decision:
    state, effects = decision
    return state, (*effects, Settle(cause, Outcome.NOTED))


def _on_timer(
    lane: LaneSetup, state: LaneState, name: TimerName, token: int, now: datetime
) -> Decision:
    if token != state.timer_token:
        return state, ()
    match name, state.phase:
        case TimerName.PRESENCE, Approached(read, cause):
            denial = Deny(cause, DenyReason.NO_PRESENCE, read, show=False)
            state, effects = finish(lane, state, now)
            return state, (denial, *effects)
        case TimerName.PAYMENT, AwaitingPayment():
            return look_for_payment(state, state.phase, now)
        case TimerName.PASSAGE, Opening():
            return _on_passage_overdue(lane, state, state.phase.grant, now)
        case TimerName.PASSAGE, Passing(grant):
            state, effects = complete(lane, state, grant, PassageKnown.ASSUMED, now)
            return state, (Notice("closing_loop_stuck"), *effects)
        case _:
            return state, ()


def _on_passage_overdue(lane: LaneSetup, state: LaneState, grant: Grant, now: datetime) -> Decision:
    stands_there = lane.presence_loop and state.presence
    if stands_there and grant.command is not None:
        # Its open command has had its time: from now on a fresh read is decided anew.
        state, _ = lose_command(lane, state, grant, CommandStatus.UNKNOWN, now)
        state, effects = await_passage(lane, state, replace(grant, command=None), now)
        return state, (Notice("vehicle_not_moving"), *effects)
    if lane.closing_loop and state.closing:
        # It has been on since before the arm opened, so it cannot tell who passed.
        state, effects = complete(lane, state, grant, PassageKnown.ASSUMED, now)
        return state, (Notice("closing_loop_stuck"), *effects)
    if lane.closing_loop or stands_there:
        return give_up(lane, state, grant, "no_passage", now)
    return complete(lane, state, grant, PassageKnown.ASSUMED, now)
