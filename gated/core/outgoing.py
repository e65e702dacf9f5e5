"""What becomes of the commands that a lane has sent, phase by phase."""

from dataclasses import replace

from gated.core.effects import (
    NoteCommand,
    Notice,
)
from gated.core.events import (
    CommandAnswered,
    CommandEnded,
    CommandSent,
    CommandStatus,
)
from gated.core.phases import Deciding, Open, Opening, Passing, grant_of
from gated.core.rest import Decision, Turn
from gated.core.serving import (
    lose_command,
)

ENDED_COUNT_MAX = 8


def command_answered(turn: Turn) -> Decision:
    """The hardware took or refused a command."""
    state, cause, answer = turn.state, turn.cause, turn.reported
    assert isinstance(answer, CommandAnswered)
    assert cause is not None
    command = state.sent_as(answer.command)
    if command is None:
        return state, ()
    if answer.ok:
        note = NoteCommand(command, CommandStatus.ACKNOWLEDGED, None)
        return state.with_taken(command), (note,)
    notice = Notice("command_refused", cause, answer.error or "")
    grant = grant_of(state.phase)
    going = isinstance(state.phase, Passing | Open)
    if (going and grant is not None and grant.command == command) or command in state.taken:
        # What was delivered twice is refused the second time, when the arm is up already.
        return state, (notice,)
    note = NoteCommand(command, CommandStatus.FAILED, answer.error)
    if grant is None or grant.command != command:
        # A display that cannot show a denial, or a barrier whose vehicle is no longer awaited.
        return state, (note, notice)
    state, effects = lose_command(turn.lane, state, grant, CommandStatus.FAILED, turn.now)
    return state, (note, notice, *effects)


def command_ended_undecided(turn: Turn) -> Decision:
    """The relay may be quicker than the answer that tells the lane of its grant."""
    phase, event = turn.state.phase, turn.event
    assert isinstance(phase, Deciding)
    assert isinstance(event, CommandEnded)
    ended = (*phase.ended, event)[-ENDED_COUNT_MAX:]
    return replace(turn.state, phase=replace(phase, ended=ended)), ()


def command_ended(turn: Turn) -> Decision:
    """A command came to its end without the hardware."""
    state, event = turn.state, turn.event
    assert isinstance(event, CommandEnded)
    grant = grant_of(state.phase)
    if grant is None or grant.command != event.command:
        return state, ()
    # What the hardware has taken may have opened, whatever became of it on the way out.
    status = CommandStatus.UNKNOWN if event.command in state.taken else event.status
    return lose_command(turn.lane, state, grant, status, turn.now)


def command_sent(turn: Turn) -> Decision:
    """A command beside a decision is on its way: the arm was asked once more."""
    state, event = turn.state, turn.event
    assert isinstance(event, CommandSent)
    match state.phase:
        case Opening(grant, tries) if event.stay == grant.stay:
            state = state.with_open(event.command)
            return replace(state, phase=Opening(replace(grant, command=event.command), tries)), ()
        case _:
            return state.with_sent(event.command), ()
