"""The button of a lane: a ticket for a vehicle whose plate cannot be read, or a call for help.

An entry whose policy says so admits such a vehicle without a plate: its stay has a ticket number,
which the display shows or a printer prints, and which it is paid by. Facts and transaction are
those of every vehicle, so a car park that is full is so for tickets too, and an entry for known
vehicles gives none. A vehicle has one ticket: while it is being served, and while its open command
may still act, the button does nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from gated.core.access import judge_age
from gated.core.effects import Notice, Outcome, Settle
from gated.core.events import InputChanged
from gated.core.lane import LaneState
from gated.core.phases import (
    Approached,
    AwaitingPayment,
    Closed,
    Closing,
    Deciding,
    Denied,
    Gathering,
    Grant,
    Held,
    Idle,
    LetThrough,
    Occupied,
    Open,
    Opening,
    OutOfService,
    Passing,
)
from gated.core.rest import Decision, Turn
from gated.core.serving import begin_ticket, may_stand_there
from gated.core.site import LaneSetup


def pressed(turn: Turn) -> Decision:
    """The button is pressed, or let go. Its message is settled here: a ticket decides it."""
    lane, state, cause, event = turn.lane, turn.state, turn.cause, turn.reported
    assert isinstance(event, InputChanged)
    assert cause is not None
    if not event.on:
        return state, (Settle(cause, Outcome.NOTED),)
    if judge_age(lane.policy, cause) is not None:
        return _ignored(turn, "too_late")
    if not may_stand_there(lane, state):
        return _ignored(turn, "nobody_there")
    match state.phase:
        case Denied() if _may_ask(lane, state, state.phase, turn.now):
            return begin_ticket(state, cause, turn.now)
        case Opening(Grant(plate=None, command=None) as grant):
            # Its open command died or is of unknown fate: the same ticket, a new decision.
            return begin_ticket(state, cause, turn.now, grant)
        case Denied() | AwaitingPayment() | Closed() | OutOfService():
            return _called(turn)
        case Deciding() if state.phase.asked is not None or state.phase.refused is not None:
            # It waits; only just now it is looked whether it may go on.
            return _called(turn)
        case Idle() | Occupied() | Gathering():
            return _ignored(turn, "not_yet")
        case (
            Approached()
            | Deciding()
            | Opening()
            | Open()
            | Passing()
            | Closing()
            | LetThrough()
            | Held()
        ):
            return _ignored(turn, "being_served")
        case _:
            assert_never(state.phase)


def _may_ask(lane: LaneSetup, state: LaneState, phase: Denied, now: datetime) -> bool:
    if not lane.offers_tickets or (phase.read is not None and not phase.unsure):
        return False
    # Without a presence loop nothing says when a vehicle left that was not read.
    since = now - state.since
    return lane.presence_loop or since <= timedelta(seconds=lane.policy.passage_seconds_max)


def _called(turn: Turn) -> Decision:
    """Whoever stands there wants a person. Without a presence loop only this once: nothing says
    how long it stands there."""
    assert turn.cause is not None
    notice = Notice("intercom_call", turn.cause, "button")
    state = replace(turn.state, pressed=turn.state.stood)
    return state, (notice, Settle(turn.cause, Outcome.NOTED))


def _ignored(turn: Turn, why: str) -> Decision:
    assert turn.cause is not None
    notice = Notice("button_ignored", turn.cause, why)
    return turn.state, (notice, Settle(turn.cause, Outcome.NOTED))
