"""What the arm asks for by its own reports, phase by phase."""

from dataclasses import replace

from gated.core.effects import (
    Fault,
    NoteCommand,
    Notice,
    PassageKnown,
    StopTimer,
)
from gated.core.events import (
    BarrierReported,
    CommandStatus,
    TimerName,
)
from gated.core.ids import CommandId
from gated.core.lane import LaneState
from gated.core.phases import (
    Closing,
    Grant,
    Held,
    LetThrough,
    Open,
    Opening,
    Passing,
    grant_of,
)
from gated.core.rest import (
    Decision,
    Turn,
    open_held,
    resting,
    shut_by,
    stands_open,
    stopped,
    with_fault,
)
from gated.core.serving import (
    ask_again,
    await_arm,
    await_still,
    await_vehicle,
    break_down,
    complete,
    finish,
    may_stand_there,
)
from gated.core.site import LaneSetup

# Faults of the loops that tell which vehicle is where.
_BLIND = frozenset({Fault.PRESENCE_LOOP_STUCK, Fault.CLOSING_LOOP_STUCK, Fault.CLOSING_LOOP_SILENT})


def went_up_asked(turn: Turn) -> Decision:
    """The arm is up for the vehicle that may pass."""
    phase = turn.state.phase
    assert isinstance(phase, Opening | Open)
    state, confirmed = _confirmed(turn)
    if not turn.lane.arm_switch:
        return state, confirmed
    if isinstance(phase, Open):
        command = phase.grant.command
        of_this_one = any(
            isinstance(note, NoteCommand) and note.command == command for note in confirmed
        )
        return replace(state, phase=Open(phase.grant, phase.answered or of_this_one)), confirmed
    state, effects = await_vehicle(turn.lane, state, Open(phase.grant), turn.now)
    return state, (*confirmed, *effects)


def went_up(turn: Turn) -> Decision:
    """The arm is up, for a command of a moment ago or for no reason that is known here."""
    state, confirmed = _confirmed(turn)
    late = len(state.given_up) < len(turn.state.given_up)
    if confirmed and not late:
        return state, confirmed
    assert turn.cause is not None
    if state.courtesy is not None or stands_open(turn.lane, state):
        return state, confirmed
    if turn.lane.arm_switch and not turn.changed:
        # It says so every few seconds.
        return state, confirmed
    if late:
        return state, (*confirmed, _late(turn))
    notice = Notice("opened_without_grant", turn.cause)
    if not turn.lane.arm_switch:
        return state, (notice,)
    state, raised = with_fault(state, Fault.ARM_FORCED, turn.now, on=True, cause=turn.cause)
    return state, (notice, *raised)


def went_up_held(turn: Turn) -> Decision:
    """The arm is up, as it should be."""
    return _confirmed(turn)


def went_up_again(turn: Turn) -> Decision:
    """A broken arm has gone up, for nobody: the lane is in service again."""
    state, confirmed = _confirmed(turn)
    state, effects = resting(turn.lane, state, turn.now)
    leaks = (_late(turn),) if turn.changed else ()
    return state, (*confirmed, *leaks, *effects)


def went_down_again(turn: Turn) -> Decision:
    """A broken arm has come down: the lane is in service again."""
    return resting(turn.lane, turn.state, turn.now)


def went_down_open(turn: Turn) -> Decision:
    """The arm is down again: behind the vehicle, or before it."""
    phase, lane, state, now = turn.state.phase, turn.lane, turn.state, turn.now
    assert isinstance(phase, Open)
    if not lane.closing_loop and not state.presence and lane.presence_loop:
        return complete(lane, state, phase.grant, PassageKnown.REPORTED, now)
    if not lane.closing_loop and not lane.presence_loop:
        return complete(lane, state, phase.grant, PassageKnown.REPORTED, now)
    if not phase.answered and may_stand_there(lane, state):
        # It came down behind the vehicle before; its command to go up may be on the way.
        return await_arm(lane, state, Opening(phase.grant), now)
    if _stands_there_still(lane, state, phase.grant):
        # It hesitates, and cameras tell of it only once: the same one is let through once more.
        again = ask_again(lane, phase.grant, "arm_came_down", now)
        grant = replace(phase.grant, came_down=True)
        state, effects = await_arm(lane, state, Opening(grant), now)
        return state, (Notice("arm_came_down", turn.cause), *effects, again)
    # Whoever still stands there is decided on anew when it is read.
    dead = replace(phase.grant, command=None, came_down=True)
    return await_still(lane, state.forget(dead.plate), Opening(dead), now)


def _stands_there_still(lane: LaneSetup, state: LaneState, grant: Grant) -> bool:
    """Whether the vehicle that the arm went up for is still before it, and no other can be: it has
    not left the presence loop, and nobody came onto a closing loop that works."""
    if not lane.presence_loop or not lane.closing_loop or grant.stood is None:
        return False
    if state.stood != grant.stood or state.closing or state.crossing is not None:
        return False
    if grant.command is None or grant.came_down or shut_by(lane, state) is not None:
        return False
    return state.faults.isdisjoint(_BLIND)


def went_down_behind(turn: Turn) -> Decision:
    """The arm is down: whoever comes next begins anew."""
    assert isinstance(turn.state.phase, Closing)
    state, effects = finish(turn.lane, turn.state, turn.now)
    return state, (StopTimer(TimerName.CLOSING), *effects)


def went_down_held(turn: Turn) -> Decision:
    """The arm of a lane that is held open is down: one that cannot be told to stay up is opened
    again for who stands before it."""
    assert turn.cause is not None
    if not turn.changed or not turn.state.presence:
        return turn.stay()
    return turn.state, open_held(turn.lane, turn.state, turn.cause.event)


def went_down_passing(turn: Turn) -> Decision:
    """The arm says that it is down while a vehicle is under it."""
    phase = turn.state.phase
    assert isinstance(phase, Passing)
    on_it = Passing(replace(phase.grant, came_down=True))
    return replace(turn.state, phase=on_it), (Notice("arm_down_on_vehicle", turn.cause),)


def broke_granted(turn: Turn) -> Decision:
    """The arm reports a fault while a vehicle may pass."""
    grant = grant_of(turn.state.phase)
    assert grant is not None
    notice = Notice("barrier_fault", turn.cause)
    if not turn.lane.arm_switch:
        return turn.state, (notice,)
    state, effects = break_down(turn.lane, turn.state, grant, "arm_fault", turn.now)
    return state, (notice, *effects)


def broke_under_way(turn: Turn) -> Decision:
    """The arm reports a fault while somebody is being served: after that, out of service."""
    notice = Notice("barrier_fault", turn.cause)
    if not turn.lane.arm_switch:
        return turn.state, (notice,)
    state, raised = with_fault(turn.state, Fault.ARM_STUCK, turn.now, on=True, cause=turn.cause)
    return state, (notice, *raised)


def broke_at_rest(turn: Turn) -> Decision:
    """The arm reports a fault: out of service until it moves again."""
    state, effects = broke_under_way(turn)
    if state.faults == turn.state.faults:
        return state, effects
    state, rest = finish(turn.lane, state, turn.now)
    return state, (*effects, *stopped(turn.state.phase), *rest)


def _confirmed(turn: Turn) -> Decision:
    state, report = turn.state, turn.reported
    assert isinstance(report, BarrierReported)
    command = _answered(state, report)
    if command is None:
        return state, ()
    return state.with_risen(command), (NoteCommand(command, CommandStatus.CONFIRMED, None),)


def _late(turn: Turn) -> Notice:
    """The one for whom it was to go up has been given up."""
    return Notice("opened_without_grant", turn.cause, "late")


def _answered(state: LaneState, report: BarrierReported) -> CommandId | None:
    """The command that the arm answers; a report that names none answers the open under way."""
    if report.command is not None:
        return state.sent_as(report.command)
    grant = grant_of(state.phase)
    if grant is not None:
        return grant.command
    if isinstance(state.phase, LetThrough | Held) and state.sent:
        return state.sent[-1]
    return None
