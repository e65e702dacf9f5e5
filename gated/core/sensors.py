"""What a contact, the arm, the end of a command or a timer asks for, phase by phase."""

from dataclasses import replace
from datetime import timedelta

from gated.core.access import judge_age
from gated.core.crossing import begin_crossing, end_crossing
from gated.core.effects import (
    Deny,
    DenyReason,
    Do,
    Fault,
    FreeKind,
    NoteCommand,
    Notice,
    PassageKnown,
    PassFreely,
    SendCommand,
    StopTimer,
)
from gated.core.events import (
    BarrierReported,
    CommandAnswered,
    CommandEnded,
    CommandSent,
    CommandStatus,
    TimerFired,
    TimerName,
)
from gated.core.ids import CommandId
from gated.core.judging import look_for_payment
from gated.core.lane import (
    Approached,
    AwaitingPayment,
    Closing,
    Deciding,
    Denied,
    Grant,
    Held,
    LaneState,
    LetThrough,
    Open,
    Opening,
    Passing,
    grant_of,
)
from gated.core.reads import unread_vehicle
from gated.core.rest import Decision, Turn, resting, stopped, with_fault
from gated.core.serving import (
    await_arm,
    await_still,
    await_vehicle,
    begin,
    begin_again,
    break_down,
    complete,
    finish,
    give_up,
    go_unpaid,
    lose_command,
    pass_through,
)

ENDED_COUNT_MAX = 8


# ── the presence loop ───────────────────────────────────────────────────────────────────────


def stood_at_rest(turn: Turn) -> Decision:
    """Somebody drove onto the loop of a lane at rest."""
    if not _fresh(turn):
        return turn.stay()
    return resting(turn.lane, turn.state, turn.now)


def stood_approached(turn: Turn) -> Decision:
    """The vehicle that was read has arrived."""
    phase = turn.state.phase
    assert isinstance(phase, Approached)
    if not _fresh(turn):
        return turn.stay()
    return begin(turn.lane, turn.state, phase.cause, phase.read, turn.now)


def moved_before_arm(turn: Turn) -> Decision:
    """The presence loop changed while the vehicle may pass: it comes back, or leaves it."""
    lane, state, now = turn.lane, turn.state, turn.now
    phase = state.phase
    assert isinstance(phase, Opening | Open)
    if not turn.changed:
        # A box that repeats its contacts must not keep the timer from running out.
        return turn.stay()
    grant = phase.grant
    if not state.presence and not lane.closing_loop and not isinstance(phase, Open):
        return complete(lane, state, grant, PassageKnown.ASSUMED, now)
    dead = grant.command is None
    if state.presence and _fresh(turn) and dead and state.waiting is not None:
        read, cause = state.waiting
        if read.plate == grant.plate:
            # It had backed off, was read again meanwhile, and is back.
            return begin_again(replace(state, waiting=None), grant, cause, read, now)
    return await_still(lane, state, phase, now)


def left_unpaid(turn: Turn) -> Decision:
    """Whoever was asked to pay has backed off."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    return go_unpaid(turn.lane, turn.state, phase, turn.now)


def left(turn: Turn) -> Decision:
    """The vehicle has left the lane's front."""
    state, effects = finish(turn.lane, turn.state, turn.now)
    return state, (*stopped(turn.state.phase), *effects)


def left_let_through(turn: Turn) -> Decision:
    """Whoever was let through has left the presence loop: where no loop follows, it is through."""
    if turn.lane.closing_loop:
        return turn.stay()
    return _through_by_hand(turn)


def _fresh(turn: Turn) -> bool:
    # A late report sets what is known of the loop; it is no evidence that somebody is there now.
    assert turn.cause is not None
    return judge_age(turn.lane.policy, turn.cause) is None


# ── the closing loop ────────────────────────────────────────────────────────────────────────

# Reports of any age: a late one still tells who passed, and a device whose clock is wrong must
# not have its vehicles taken for backed out.


def reached(turn: Turn) -> Decision:
    """The vehicle that may pass is on the closing loop, unless that came on before its grant."""
    grant = grant_of(turn.state.phase)
    assert grant is not None
    assert turn.cause is not None
    if not grant.precedes(turn.cause):
        # On since before the grant: the last vehicle, or a loop that is stuck.
        return turn.stay()
    return pass_through(turn.lane, turn.state, grant, turn.now)


def reached_undecided(turn: Turn) -> Decision:
    """Somebody is on the closing loop while the vehicle before it is being decided on."""
    state, cause = turn.state, turn.cause
    phase = state.phase
    assert isinstance(phase, Deciding)
    assert cause is not None
    if phase.crossed is not None or (
        phase.earlier is not None and not phase.earlier.precedes(cause)
    ):
        return turn.stay()
    if phase.earlier is not None:
        return replace(state, phase=replace(phase, crossed=cause)), ()
    state, effects = begin_crossing(turn.lane, state, cause, phase.read, turn.now)
    if state.crossing is not None:
        state = replace(state, phase=replace(phase, crossed=cause))
    return state, effects


def crossed(turn: Turn) -> Decision:
    """Somebody is on the closing loop whom nobody granted passage."""
    assert turn.cause is not None
    phase = turn.state.phase
    read = phase.read if isinstance(phase, Denied) else None
    state, effects = begin_crossing(turn.lane, turn.state, turn.cause, read, turn.now)
    return state, effects


def crossed_unpaid(turn: Turn) -> Decision:
    """Whoever was asked to pay drives out, or somebody does in its place."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    assert turn.cause is not None
    state, noticed = begin_crossing(turn.lane, turn.state, turn.cause, phase.read, turn.now)
    if state.crossing is None:
        return state, noticed
    state, effects = go_unpaid(turn.lane, state, phase, turn.now)
    return state, (*noticed, *effects)


def cleared(turn: Turn) -> Decision:
    """Whoever crossed without a grant is through."""
    assert turn.cause is not None
    return end_crossing(turn.state, turn.cause)


def passed(turn: Turn) -> Decision:
    """The vehicle that may pass has cleared the closing loop."""
    phase = turn.state.phase
    assert isinstance(phase, Passing)
    return complete(turn.lane, turn.state, phase.grant, PassageKnown.MEASURED, turn.now)


def passed_by_hand(turn: Turn) -> Decision:
    """Whoever was let through has cleared the closing loop."""
    return _through_by_hand(turn)


def passed_held(turn: Turn) -> Decision:
    """Somebody went through a lane whose arm stays up."""
    state, phase = turn.state, turn.state.phase
    assert isinstance(phase, Held)
    assert turn.cause is not None
    kind = FreeKind.EVACUATION if state.evacuating else FreeKind.HELD
    return replace(state, phase=Held()), (PassFreely(turn.cause, kind, phase.read),)


def _through_by_hand(turn: Turn) -> Decision:
    phase, cause = turn.state.phase, turn.cause
    assert isinstance(phase, LetThrough)
    assert cause is not None
    through = PassFreely(cause, FreeKind.OPERATOR, phase.read, request=phase.request)
    state, effects = finish(turn.lane, turn.state, turn.now)
    return state, (*stopped(phase), through, *effects)


# ── the arm ─────────────────────────────────────────────────────────────────────────────────


def went_up_asked(turn: Turn) -> Decision:
    """The arm is up for the vehicle that may pass."""
    phase = turn.state.phase
    assert isinstance(phase, Opening | Open)
    state, confirmed = _confirmed(turn)
    if not turn.lane.arm_switch or isinstance(phase, Open):
        return state, confirmed
    state, effects = await_vehicle(turn.lane, state, Open(phase.grant), turn.now)
    return state, (*confirmed, *effects)


def went_up(turn: Turn) -> Decision:
    """The arm is up, for a command of a moment ago or for no reason that is known here."""
    state, confirmed = _confirmed(turn)
    if confirmed:
        return state, confirmed
    assert turn.cause is not None
    notice = Notice("opened_without_grant", turn.cause)
    if not turn.lane.arm_switch:
        return state, (notice,)
    state, raised = with_fault(state, Fault.ARM_FORCED, turn.now, on=True, cause=turn.cause)
    return state, (notice, *raised)


def went_up_held(turn: Turn) -> Decision:
    """The arm is up, as it should be."""
    return _confirmed(turn)


def went_up_again(turn: Turn) -> Decision:
    """A broken arm has moved: the lane is in service again."""
    return resting(turn.lane, turn.state, turn.now)


def went_down_open(turn: Turn) -> Decision:
    """The arm is down again: behind the vehicle, or before it."""
    phase, lane, state, now = turn.state.phase, turn.lane, turn.state, turn.now
    assert isinstance(phase, Open)
    if not lane.closing_loop and not state.presence and lane.presence_loop:
        return complete(lane, state, phase.grant, PassageKnown.REPORTED, now)
    if not lane.closing_loop and not lane.presence_loop:
        return complete(lane, state, phase.grant, PassageKnown.REPORTED, now)
    # Whoever still stands there is decided on anew when it is read.
    dead = replace(phase.grant, command=None)
    return await_still(lane, state.forget(dead.plate), Opening(dead), now)


def went_down_passing(turn: Turn) -> Decision:
    """The arm says that it is down while a vehicle is under it."""
    return turn.state, (Notice("arm_down_on_vehicle", turn.cause),)


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
    return state.with_taken(command), (NoteCommand(command, CommandStatus.CONFIRMED, None),)


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


# ── commands ────────────────────────────────────────────────────────────────────────────────


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
    state = state.with_sent(event.command)
    match state.phase:
        case Opening(grant, tries) if event.stay == grant.stay:
            return replace(state, phase=Opening(replace(grant, command=event.command), tries)), ()
        case _:
            return state, ()


# ── timers ──────────────────────────────────────────────────────────────────────────────────


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
    """Look again whether it was paid."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    return look_for_payment(turn.state, phase, turn.now)


def opening_overdue(turn: Turn) -> Decision:
    """The arm did not go up, or the vehicle did not move."""
    phase, event, lane, state = turn.state.phase, turn.event, turn.lane, turn.state
    assert isinstance(phase, Opening)
    assert isinstance(event, TimerFired)
    if event.name is TimerName.PASSAGE:
        return passage_overdue(turn)
    grant, policy = phase.grant, lane.policy
    proven = lane.presence_loop and state.presence
    if not proven or phase.tries >= policy.open_tries_max:
        return break_down(lane, state, grant, "arm_not_opened", turn.now)
    # The vehicle stands on the loop now: that is the evidence for asking once more.
    again = SendCommand(
        grant.correlation,
        Do.OPEN,
        "arm_not_opened",
        grant.stay,
        grant.plate,
        turn.now + timedelta(seconds=policy.command_seconds_max),
    )
    dead = Opening(replace(grant, command=None), phase.tries + 1)
    state, effects = await_arm(lane, state, dead, turn.now)
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
        dead = replace(phase, grant=replace(grant, command=None))
        state, effects = await_vehicle(lane, state, dead, now)
        return state, (Notice("vehicle_not_moving"), *effects)
    if lane.closing_loop and state.closing:
        # It has been on since before the arm opened, so it cannot tell who passed.
        return _assumed(turn, grant)
    if lane.closing_loop or stands_there:
        return give_up(lane, state, grant, "no_passage", now)
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
    state, effects = finish(turn.lane, turn.state, turn.now)
    return state, (Notice("nobody_passed"), *effects)


def loop_overdue(turn: Turn) -> Decision:
    """Nobody stands unread before a barrier for so long: the loop is stuck."""
    return with_fault(turn.state, Fault.PRESENCE_LOOP_STUCK, turn.now, on=True)


def arm_down(turn: Turn) -> Decision:
    """The arm is down: whoever comes next begins anew."""
    assert isinstance(turn.state.phase, Closing)
    state, effects = finish(turn.lane, turn.state, turn.now)
    return state, (StopTimer(TimerName.CLOSING), *effects)
