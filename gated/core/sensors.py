"""Which step a contact, the arm or the end of a command asks for."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from gated.core.access import judge_age
from gated.core.effects import NoteCommand, Notice, PassageKnown, StopTimer
from gated.core.events import (
    BarrierReported,
    BarrierState,
    Cause,
    CommandAnswered,
    CommandEnded,
    CommandStatus,
    InputChanged,
    InputName,
    TimerName,
)
from gated.core.ids import CommandId
from gated.core.lane import (
    Approached,
    AwaitingPayment,
    Deciding,
    Denied,
    Grant,
    LaneState,
    Opening,
    Passing,
    grant_of,
)
from gated.core.serving import (
    Decision,
    await_passage,
    begin,
    begin_again,
    complete,
    finish,
    go_unpaid,
    lose_command,
    pass_through,
)
from gated.core.site import LaneSetup

ENDED_COUNT_MAX = 8


def on_input(
    lane: LaneSetup, state: LaneState, cause: Cause, event: InputChanged, now: datetime
) -> Decision:
    """A contact of the lane is on or off, or said once more that it is."""
    match event.name:
        case InputName.PRESENCE:
            return _on_presence(lane, state, cause, on=event.on, now=now)
        case InputName.CLOSING:
            return _on_closing(lane, state, cause, on=event.on, now=now)
        case InputName.BUTTON | InputName.FIRE:
            # Nobody listens to these yet; the operator should know that they are wired.
            return state, (Notice("input_ignored", cause, event.name),) if event.on else ()
        case _:
            assert_never(event.name)


def _on_presence(
    lane: LaneSetup, state: LaneState, cause: Cause, *, on: bool, now: datetime
) -> Decision:
    changed = state.presence is not on
    state = replace(state, presence=on)
    # A late report sets what is known of the loop; it is no evidence that somebody is there now.
    fresh = judge_age(lane.policy, cause) is None
    match state.phase:
        case Approached(read, read_cause) if on and fresh:
            state, effects = begin(lane, state, read_cause, read, now)
            return state, (StopTimer(TimerName.PRESENCE), *effects)
        case Opening() if changed:
            # A box that repeats its contacts every few seconds must not keep the timer from
            # running out: only a change counts.
            return _on_presence_opening(lane, state, state.phase.grant, on=on, fresh=fresh, now=now)
        case AwaitingPayment() if not on:
            return go_unpaid(lane, state, state.phase, now)
        case Denied() if not on:
            return finish(lane, state, now)
        case _:
            return state, ()


def _on_presence_opening(
    lane: LaneSetup, state: LaneState, grant: Grant, *, on: bool, fresh: bool, now: datetime
) -> Decision:
    if not on and not lane.closing_loop:
        return complete(lane, state, grant, PassageKnown.ASSUMED, now)
    if on and fresh and grant.command is None and state.waiting is not None:
        read, cause = state.waiting
        if read.plate == grant.plate:
            # It had backed off, was read again meanwhile, and is back.
            return begin_again(replace(state, waiting=None), grant, cause, read, now)
    since = state.since
    state, effects = await_passage(lane, state, grant, now)
    return replace(state, since=since), effects


def _on_closing(
    lane: LaneSetup, state: LaneState, cause: Cause, *, on: bool, now: datetime
) -> Decision:
    # Of any age: a late report still tells who passed, and a device whose clock is wrong must
    # not have its vehicles taken for backed out.
    state = replace(state, closing=on)
    match state.phase:
        case Opening(grant) if on and grant.precedes(cause):
            return pass_through(lane, state, grant, now)
        case Passing(grant) if not on:
            return complete(lane, state, grant, PassageKnown.MEASURED, now)
        case Deciding(earlier=Grant() as earlier) if on:
            crossed = state.phase.crossed or earlier.precedes(cause)
            return replace(state, phase=replace(state.phase, crossed=crossed)), ()
        case Passing() | Opening():
            # On since before the grant: the last vehicle, or a loop that is stuck.
            return state, ()
        case _:
            notice = (Notice("passage_without_grant", cause),) if on else ()
            return state, notice


def on_barrier(state: LaneState, cause: Cause, report: BarrierReported) -> Decision:
    """The arm reports what it does."""
    match report.state:
        case BarrierState.OPENED if (command := _reported(state, report.command)) is not None:
            note = NoteCommand(command, CommandStatus.CONFIRMED, None)
            return state.with_taken(command), (note,)
        case BarrierState.OPENED if grant_of(state.phase) is None:
            return state, (Notice("opened_without_grant", cause),)
        case BarrierState.FAULT:
            return state, (Notice("barrier_fault", cause),)
        case BarrierState.OPENED | BarrierState.CLOSED | BarrierState.MOVING:
            return state, ()
        case _:
            assert_never(report.state)


def on_command_answered(
    lane: LaneSetup, state: LaneState, cause: Cause, answer: CommandAnswered, now: datetime
) -> Decision:
    """The hardware took or refused a command."""
    command = state.sent_as(answer.command)
    if command is None:
        return state, ()
    if answer.ok:
        note = NoteCommand(command, CommandStatus.ACKNOWLEDGED, None)
        return state.with_taken(command), (note,)
    notice = Notice("command_refused", cause, answer.error or "")
    grant = grant_of(state.phase)
    passing = isinstance(state.phase, Passing) and grant is not None and grant.command == command
    if passing or command in state.taken:
        # What was delivered twice is refused the second time, when the arm is up already.
        return state, (notice,)
    note = NoteCommand(command, CommandStatus.FAILED, answer.error)
    if grant is None or grant.command != command:
        # A display that cannot show a denial, or a barrier whose vehicle is no longer awaited.
        return state, (note, notice)
    state, effects = lose_command(lane, state, grant, CommandStatus.FAILED, now)
    return state, (note, notice, *effects)


def _reported(state: LaneState, number: int | None) -> CommandId | None:
    """The command that the arm answers; a report that names none answers the open under way."""
    if number is not None:
        return state.sent_as(number)
    grant = grant_of(state.phase)
    return grant.command if grant is not None else None


def on_command_ended(
    lane: LaneSetup, state: LaneState, event: CommandEnded, now: datetime
) -> Decision:
    """A command came to its end without the hardware."""
    if isinstance(state.phase, Deciding):
        # The relay may be quicker than the answer that tells the lane of its grant.
        ended = (*state.phase.ended, event)[-ENDED_COUNT_MAX:]
        return replace(state, phase=replace(state.phase, ended=ended)), ()
    grant = grant_of(state.phase)
    if grant is None or grant.command != event.command:
        return state, ()
    # What the hardware has taken may have opened, whatever became of it on the way out.
    status = CommandStatus.UNKNOWN if event.command in state.taken else event.status
    return lose_command(lane, state, grant, status, now)
