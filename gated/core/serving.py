"""Serving one vehicle: from its read to the verdict, and from the grant to its passage.

Each function is one step: it takes the lane as it is set up and its state, and returns the
next state with the effects to perform. What the verdict is, `gated.core.judging` says; which
step an event asks for, `gated.core.transitions`.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gated.core.confusables import differences, may_be_one
from gated.core.consensus import is_sure
from gated.core.crossing import end_crossing_of, is_through, is_under, known_as, opened_for
from gated.core.effects import (
    CancelAdmission,
    CancelMove,
    CompletePassage,
    Deny,
    Do,
    Effect,
    Fault,
    FreeKind,
    Notice,
    Outcome,
    PassageKnown,
    ResumeStay,
    SendCommand,
    Settle,
    StopTimer,
    TakeSnapshot,
)
from gated.core.events import (
    BarrierState,
    Cause,
    ChangeTold,
    CommandStatus,
    PlateRead,
    Request,
    TimerName,
)
from gated.core.ids import StayId
from gated.core.lane import Crossing, LaneState, Passed, TurnedBack
from gated.core.matching import Near
from gated.core.phases import (
    Approached,
    AwaitingPayment,
    Closing,
    Deciding,
    Denied,
    Grant,
    Held,
    Idle,
    LetThrough,
    Open,
    Opening,
    Passing,
    Refusal,
    grant_of,
)
from gated.core.reasons import FULL, MAY_END, DenyReason
from gated.core.rest import (
    Decision,
    open_held,
    resting,
    shut_by,
    stands_open,
    start_timer,
    stopped,
    with_fault,
)
from gated.core.site import LaneSetup

# So many vehicles turn back one after the other; of one more the loop is to blame.
TURNED_BACK_MAX = 3


def may_stand_there(lane: LaneSetup, state: LaneState) -> bool:
    """Whether a vehicle may stand at the barrier: the loop says so, or there is no loop to ask."""
    return state.presence or not lane.presence_loop


# ── from the read to the verdict ────────────────────────────────────────────────────────────


def begin(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    """Start serving a vehicle: gather, or wait until it stands on the presence loop."""
    left = stopped(state.phase)
    if not may_stand_there(lane, state):
        state, timer = start_timer(state, TimerName.PRESENCE, lane.policy.presence_seconds_max)
        return state.enter(Approached(read, cause), now), (*left, timer)
    state, effects = _gather(state, Deciding(read, cause), now)
    return state, (*left, *effects)


def begin_ticket(
    state: LaneState, cause: Cause, now: datetime, earlier: Grant | None = None
) -> Decision:
    """Decide about a vehicle that nobody can read and that asked for a ticket, or anew about one
    that was granted its ticket and whose open command is dead."""
    left = stopped(state.phase)
    state, effects = _gather(state, Deciding(None, cause, earlier=earlier), now)
    return state, (*left, *effects)


def begin_again(
    state: LaneState, grant: Grant, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    """Decide anew about a vehicle that was granted passage and whose open command is dead."""
    left = stopped(state.phase)
    state, effects = _gather(state, Deciding(read, cause, earlier=grant), now)
    return state, (*left, *effects)


def _gather(state: LaneState, phase: Deciding, now: datetime) -> Decision:
    # A driver waits from the message that completes the picture, be it the read or the loop.
    heard = max(phase.cause.received_monotonic, state.heard_monotonic)
    phase = replace(phase, cause=replace(phase.cause, received_monotonic=heard))
    return gather(state.remember(phase.read, now).enter(phase, now), phase)


def gather(state: LaneState, phase: Deciding) -> Decision:
    """Ask for the facts, in the time that this decision has."""
    return replace(state, phase=phase), (TakeSnapshot(phase.cause, phase.plate),)


def gather_again(
    lane: LaneSetup, state: LaneState, phase: Deciding, reason: DenyReason, now: datetime
) -> Decision:
    """Ask once more, if the vehicle is still there; else it is refused for this reason, or is
    through."""
    if is_through(state, phase):
        return drop(lane, state, phase, now)
    if may_stand_there(lane, state) or phase.earlier is not None:
        return gather(state, phase)
    return refuse(lane, state, phase, reason, now)


# ── the verdict is no ───────────────────────────────────────────────────────────────────────


def refuse(
    lane: LaneSetup,
    state: LaneState,
    phase: Deciding,
    reason: DenyReason,
    now: datetime,
    near: tuple[Near, ...] = (),
) -> Decision:
    """The vehicle may not pass: tell it, and look at the one behind it.

    `near` are the stays that it may have, for an operator to choose from.
    """
    shown = phase.crossed is None and not stands_open(lane, state)
    if phase.refused is not None and _is_told(lane, state, phase, phase.refused, reason):
        return stand_refused(lane, state, phase, now)
    denial = Deny(phase.cause, reason, phase.read, show=shown, facts=phase.facts)
    state = state.refused(phase.plate_read, now)
    if phase.earlier is not None:
        # What was granted before stands all the same: it may have opened the arm.
        state, effects = resume(lane, state, phase, phase.earlier, now)
        return state, (denial, *effects)
    may_end = reason in MAY_END and phase.read is not None
    # Who wants a ticket presses the button again.
    refusal = _refusal(state, phase, now) if may_end else None
    denied = Denied(phase.read, reason, near, refusal=refusal)
    state, effects = _be_refused(lane, state, phase, denied, now)
    return state, (denial, *effects)


def _be_refused(
    lane: LaneSetup, state: LaneState, phase: Deciding, denied: Denied, now: datetime
) -> Decision:
    """The vehicle may not pass: it stands there refused, if it still does."""
    state, gone = end_crossing_of(state, phase)
    if phase.crossed is not None or not may_stand_there(lane, state):
        state, effects = finish(lane, state, now)
        return state, (*gone, *effects)
    known = known_as(phase.read, phase.matched) if phase.read is not None else None
    if state.courtesy is not None:
        # An operator has opened for it meanwhile.
        return let_through(lane, state, state.courtesy, known, now)
    if not state.serves:
        cause = phase.cause if denied.refusal is None else denied.refusal.cause
        return finish_known(lane, replace(state, phase=denied), cause, known, now)
    # A read that came while this one was decided on may be its correction: it is heard at once,
    # as it would be if it came now.
    since = now if denied.refusal is None else denied.refusal.since
    state, timer = deny_there(lane, state, denied, since)
    state, effects = _next_in_line(lane, state, now)
    if phase.change is None or not isinstance(state.phase, Denied):
        return state, (*timer, *effects)
    state, looked = look_again(lane, state, state.phase, phase.change, now)
    return state, (*timer, *effects, *looked)


def deny_there(lane: LaneSetup, state: LaneState, denied: Denied, now: datetime) -> Decision:
    """Whoever stands there is refused. One that was not read may be no vehicle: a loop's fault."""
    state = state.enter(denied, now)
    if denied.read is not None:
        return state, ()
    state, timer = start_timer(state, TimerName.LOOP, lane.policy.loop_seconds_max)
    return state, (timer,)


# ── refused, and decided on once more ───────────────────────────────────────────────────────


def look_again(
    lane: LaneSetup, state: LaneState, phase: Denied, change: ChangeTold, now: datetime
) -> Decision:
    """Decide once more on the vehicle that stands there refused, by the read that there is of it,
    if the reason may have ended.

    Not where the vehicle may be gone: somebody is under the arm, or nothing but a read that has
    grown too old says that it is there.
    """
    refusal = phase.refusal
    if refusal is None or not _may_stand_still(lane, state, refusal, now):
        return state, ()
    heard = max(change.received_monotonic, state.heard_monotonic)
    cause = replace(
        refusal.cause,
        event=change.event,
        received_at=now,
        received_monotonic=heard,
        age_seconds=0.0,
        again=refusal.cause.event,
    )
    deciding = Deciding(phase.read, cause, refused=phase, matched=refusal.matched)
    return gather(state.enter(deciding, now), deciding)


def stand_refused(lane: LaneSetup, state: LaneState, phase: Deciding, now: datetime) -> Decision:
    """Nothing came of deciding once more: it stands there as before, and is not told again."""
    assert phase.refused is not None
    return _be_refused(lane, state, phase, phase.refused, now)


def is_gone(lane: LaneSetup, state: LaneState, phase: Deciding, now: datetime) -> bool:
    """Whether nothing may be granted any more to one that was refused before: it has left, or
    somebody has closed the lane meanwhile, which serves those alone whom it is serving."""
    refusal = phase.refused.refusal if phase.refused is not None else None
    if refusal is None:
        return False
    return not state.serves or not _may_stand_still(lane, state, refusal, now)


def _may_stand_still(lane: LaneSetup, state: LaneState, refusal: Refusal, now: datetime) -> bool:
    if state.crossing is not None:
        return False
    if lane.presence_loop and not (state.presence and state.stood == refusal.stood):
        return False
    # A loop that is stuck says nothing of who may have left it.
    proven = lane.presence_loop and Fault.PRESENCE_LOOP_STUCK not in state.faults
    return proven or not waited_too_long(lane, refusal.cause, now)


def _is_told(
    lane: LaneSetup, state: LaneState, phase: Deciding, refused: Denied, reason: DenyReason
) -> bool:
    """Whether the driver has had this answer already, or there is none for him."""
    if reason is refused.reason or {reason, refused.reason} <= FULL:
        return True
    gone = phase.crossed is not None or not may_stand_there(lane, state) or not state.serves
    # That the look came too late says nothing about the vehicle.
    return gone or reason in (DenyReason.NO_PRESENCE, DenyReason.READ_TOO_OLD)


def _refusal(state: LaneState, phase: Deciding, now: datetime) -> Refusal:
    earlier = phase.refused.refusal if phase.refused is not None else None
    cause = phase.cause if earlier is None else earlier.cause
    return Refusal(cause, now, state.stood, phase.matched)


def drop(lane: LaneSetup, state: LaneState, phase: Deciding, now: datetime) -> Decision:
    """The vehicle went through before it was decided on: nothing is opened for it any more."""
    if phase.refused is not None:
        return stand_refused(lane, state, phase, now)
    state, gone = end_crossing_of(state, phase)
    if phase.asked is not None:
        state, effects = go_unpaid(lane, state, phase.asked, now)
        return state, (*gone, *effects)
    state, effects = finish(lane, state.forget(phase.plate_read), now)
    return state, (Settle(phase.cause, Outcome.SUPERSEDED), *gone, *effects)


def await_return(lane: LaneSetup, state: LaneState, phase: Deciding, now: datetime) -> Decision:
    """The vehicle left the presence loop before anything was decided: nothing opens for nobody."""
    read, behind = phase.read, state.waiting is not None
    if read is None or behind or phase.matched is not None or not state.serves:
        return refuse(lane, state, phase, DenyReason.NO_PRESENCE, now)
    state = replace(state.forget(phase.plate_read), courtesy=None)
    return begin(lane, state, phase.cause, read, now)


def is_replaced(lane: LaneSetup, state: LaneState, phase: AwaitingPayment) -> bool:
    """Whether another vehicle is where the one stood that was asked to pay: the presence loop has
    been clear since, or it may have passed, and a plate was read that cannot be a misreading of
    that one's."""
    if not lane.presence_loop or not state.presence or state.waiting is None:
        return False
    read, cause = state.waiting
    passed = phase.rolled_at is not None and cause.received_at >= phase.rolled_at
    doubted = passed or phase.recalled or state.stood != phase.stood
    return doubted and is_other(read, phase.read)


def is_other(read: PlateRead, known: PlateRead) -> bool:
    """Whether the plate that was read is none that may be a misreading of the known one."""
    return differences(read.plate.text, known.plate.text) is None


def go_unpaid(lane: LaneSetup, state: LaneState, phase: AwaitingPayment, now: datetime) -> Decision:
    """The vehicle is not there any more, or another one is."""
    denial = Deny(phase.cause, DenyReason.PAYMENT_DUE, phase.read, show=False)
    left, known = stopped(phase), known_as(phase.read, phase.matched)
    state = state.forget(phase.read.plate)
    state, effects = finish_known(lane, state, phase.cause, known, now)
    return state, (*left, denial, *effects)


# ── the lane is free ────────────────────────────────────────────────────────────────────────


def finish(lane: LaneSetup, state: LaneState, now: datetime) -> Decision:
    """The lane is free: serve the vehicle that was read behind the last one, if it still waits."""
    if not state.serves:
        return _leave_service(lane, state, now)
    state, effects = _next_in_line(lane, state.enter(Idle(), now), now)
    if not isinstance(state.phase, Idle):
        return state, effects
    if state.courtesy is not None and may_stand_there(lane, state):
        # An operator has opened for the next one.
        state, opened = let_through(lane, state, state.courtesy, None, now, unread=True)
        return state, (*effects, *opened)
    state, rest = resting(lane, replace(state, courtesy=None), now)
    return state, (*effects, *rest)


def finish_known(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead | None, now: datetime
) -> Decision:
    """The same; who stands there still, in a lane that is held open by now, drives out known."""
    state, effects = finish(lane, state, now)
    if not isinstance(state.phase, Held) or read is None or not may_stand_there(lane, state):
        return state, effects
    # Where there is a presence loop, it has been opened for as the lane came to rest.
    opened = () if lane.presence_loop else open_held(lane, state, cause.event)
    return replace(state, phase=Held(read)), (*effects, *opened)


def _leave_service(lane: LaneSetup, state: LaneState, now: datetime) -> Decision:
    waiting, state = state.waiting, replace(state, waiting=None, courtesy=None)
    state, effects = resting(lane, state, now)
    if waiting is None:
        return state, effects
    read, cause = waiting
    if isinstance(state.phase, Held):
        state = replace(state, phase=Held(read))
        if not lane.presence_loop:
            effects = (*effects, *open_held(lane, state, cause.event))
    return state, (Settle(cause, Outcome.SUPERSEDED), *effects)


def _next_in_line(lane: LaneSetup, state: LaneState, now: datetime) -> Decision:
    if state.waiting is None:
        return state, ()
    read, cause = state.waiting
    state = replace(state, waiting=None)
    if state.has_seen(read, now, lane.policy.fold_seconds):
        return state, (Settle(cause, Outcome.FOLDED),)
    if waited_too_long(lane, cause, now):
        return state, (Settle(cause, Outcome.SUPERSEDED),)
    return begin(lane, state, cause, read, now)


def waited_too_long(lane: LaneSetup, cause: Cause, now: datetime) -> bool:
    """Whether a read that waited is too old by now to say who stands there."""
    waited = now - cause.received_at
    if lane.presence_loop:
        return waited > timedelta(seconds=lane.policy.presence_seconds_max)
    # Nothing but the read proves that the vehicle is there: it may not be older than any other.
    seconds = lane.policy.event_age_seconds_max - (cause.age_seconds or 0.0)
    return waited > timedelta(seconds=seconds)


# ── the verdict is yes ──────────────────────────────────────────────────────────────────────


def await_passage(lane: LaneSetup, state: LaneState, grant: Grant, now: datetime) -> Decision:
    """The open command is committed: wait for the arm, where it tells, and for the vehicle."""
    if not lane.arm_switch or not may_stand_there(lane, state):
        return await_vehicle(lane, state, Opening(grant), now)
    if state.arm is BarrierState.OPENED:
        return await_vehicle(lane, state, Open(grant, answered=False), now)
    return await_arm(lane, state, Opening(grant), now)


def await_arm(lane: LaneSetup, state: LaneState, phase: Opening, now: datetime) -> Decision:
    """Give the arm its time to go up."""
    state, timer = start_timer(state, TimerName.OPENING, lane.policy.open_seconds_max)
    return state.enter(phase, now), (timer,)


def ask_again(lane: LaneSetup, grant: Grant, reason: str, now: datetime) -> SendCommand:
    """The arm is to go up once more for a grant that stands, whose vehicle stands there."""
    until = now + timedelta(seconds=lane.policy.command_seconds_max)
    return SendCommand(grant.correlation, Do.OPEN, reason, grant.stay, grant.plate, until)


def await_still(
    lane: LaneSetup, state: LaneState, phase: Opening | Open, now: datetime
) -> Decision:
    """The same, of a passage that is awaited since before."""
    since = state.since
    state, effects = await_vehicle(lane, state, phase, now)
    return replace(state, since=since), effects


def await_vehicle(
    lane: LaneSetup, state: LaneState, phase: Opening | Open, now: datetime
) -> Decision:
    """The vehicle has its time to reach the closing loop, not long if it has gone."""
    policy, there = lane.policy, may_stand_there(lane, state)
    seconds = policy.passage_seconds_max if there else policy.backout_seconds_max
    state, timer = start_timer(state, TimerName.PASSAGE, seconds)
    return state.enter(phase, now), (timer,)


def resume(
    lane: LaneSetup, state: LaneState, phase: Deciding, grant: Grant, now: datetime
) -> Decision:
    """Await the passage that `grant` allows, or go on with it if it began during the decision."""
    state, folded = _without_misread(lane, replace(state, courtesy=None), grant, now)
    state, effects = _go_on(lane, state, phase, grant, now)
    return state, (*folded, *effects)


def _go_on(
    lane: LaneSetup, state: LaneState, phase: Deciding, grant: Grant, now: datetime
) -> Decision:
    # It may have been on the closing loop before anybody decided on it.
    is_on = phase.read is not None and is_under(state, phase.read)
    if phase.crossed is None and not is_on:
        return await_passage(lane, state, grant, now)
    state = replace(state, crossing=None)
    if not state.closing:
        return complete(lane, state, grant, PassageKnown.MEASURED, now)
    return pass_through(lane, state, grant, now)


def pass_through(lane: LaneSetup, state: LaneState, grant: Grant, now: datetime) -> Decision:
    """The vehicle has reached the closing loop."""
    state, timer = start_timer(state, TimerName.PASSAGE, lane.policy.passage_seconds_max)
    return state.enter(Passing(grant), now), (timer,)


def complete(
    lane: LaneSetup, state: LaneState, grant: Grant, known: PassageKnown, now: datetime
) -> Decision:
    """The vehicle has passed; where the arm tells, it has to go down yet."""
    done = CompletePassage(grant.stay, known, grant.correlation)
    state = state.without_opens().passed(grant.plate, now)
    still = state.stood is not None and state.stood == grant.stood
    passed = Passed(grant.stay, now, state.stood if still else None)
    state = replace(state, passed_last=passed).with_cleared(now)
    is_up = state.arm in (BarrierState.OPENED, BarrierState.MOVING)
    if lane.arm_switch and is_up and state.serves and state.waiting is None:
        state, timer = start_timer(state, TimerName.CLOSING, lane.policy.closing_seconds_max)
        return state.enter(Closing(grant.stay), now), (StopTimer(TimerName.PASSAGE), done, timer)
    state, effects = finish(lane, state, now)
    return state, (StopTimer(TimerName.PASSAGE), done, *effects)


def give_up(
    lane: LaneSetup, state: LaneState, grant: Grant, reason: str, now: datetime
) -> Decision:
    """The vehicle did not pass. An admission is undone; at an exit the stay goes on."""
    state = state.with_opens_given_up().forget(grant.plate)
    state = replace(state, turned_back_last=TurnedBack(_read_of(grant), now))
    state, effects = finish(lane, state, now)
    return state, (StopTimer(TimerName.PASSAGE), *undo(grant, reason), *effects)


def withheld(lane: LaneSetup, state: LaneState) -> DenyReason | None:
    """Why what is granted to the one that is decided on is taken back at once, and its open command
    not sent: the lane was shut while the transaction was under way. None: it may go.

    Not where it may be on its way already: on the closing loop, by an earlier opening, by that of
    an operator, or where the arm stands open for everybody.
    """
    phase = state.phase
    if not isinstance(phase, Deciding) or phase.crossed is not None or phase.earlier is not None:
        return None
    is_on = phase.read is not None and is_under(state, phase.read)
    if is_on or state.courtesy is not None or stands_open(lane, state):
        return None
    return shut_by(lane, state)


def take_back(
    lane: LaneSetup, state: LaneState, grant: Grant, reason: DenyReason, now: datetime
) -> Decision:
    """Granted to one whose lane has been shut meanwhile: undone, and told to whom may not pass."""
    told = SendCommand(grant.correlation, Do.DENY, reason, plate=grant.plate)
    is_told = may_stand_there(lane, state)
    state, effects = give_up(lane, state, grant, reason, now)
    return state, (told, *effects) if is_told else effects


def let_go(lane: LaneSetup, state: LaneState, stay: StayId, now: datetime) -> Decision:
    """The vehicle backed out and was let in at another lane: its stay is that lane's, and nothing
    of it is undone here. Should somebody pass all the same, it is somebody else."""
    phase = state.phase
    if isinstance(phase, Deciding) and phase.earlier is not None and phase.earlier.stay == stay:
        return replace(state, phase=replace(phase, earlier=None)), ()
    grant = grant_of(phase)
    if grant is None or grant.stay != stay:
        return state, ()
    state = state.with_opens_given_up().forget(grant.plate)
    if isinstance(phase, Passing):
        state = replace(state, crossing=Crossing(FreeKind.UNEXPLAINED))
    state, effects = finish(lane, state, now)
    return state, (*stopped(phase), *effects)


def turn_back(lane: LaneSetup, state: LaneState, grant: Grant, now: datetime) -> Decision:
    """The vehicle has left, and not over the closing loop: it backed out. That one after another
    does so is less likely than a loop that is dead."""
    state = replace(state, turned_back=state.turned_back | {grant.plate})
    if len(state.turned_back) < TURNED_BACK_MAX:
        return give_up(lane, state, grant, "no_passage", now)
    state, raised = with_fault(state, Fault.CLOSING_LOOP_SILENT, now, on=True)
    state, effects = complete(lane, state, grant, PassageKnown.ASSUMED, now)
    return state, (*raised, *effects)


def has_taken_place(lane: LaneSetup, state: LaneState, grant: Grant) -> bool:
    """Whether who was read last stands where the vehicle that may pass was, which has turned back.

    The presence loop alone cannot tell: most often it is the same one that comes on anew.
    """
    if grant.anew is None or state.stood != grant.anew or state.waiting is None:
        return False
    (read, cause), left_at = state.waiting, state.presence_left_at
    seen_at = cause.received_at - timedelta(seconds=cause.age_seconds or 0.0)
    since = left_at is not None and left_at < seen_at
    misread = grant.plate is not None and may_be_one(grant.plate.text, read.plate.text)
    return since and is_sure(lane.policy, read) and not misread


def _read_of(grant: Grant) -> PlateRead | None:
    """Who it is for the books; after a restart by its plate alone."""
    if grant.read is not None or grant.plate is None:
        return grant.read
    return PlateRead(grant.plate, grant.plate.text, None)


def is_misread(
    lane: LaneSetup, state: LaneState, grant: Grant, read: PlateRead, now: datetime
) -> bool:
    """Whether this read, of another plate, is one more of the vehicle that may pass.

    It is near to its plate, and nobody has driven onto the presence loop since the grant; where
    there is none, it comes within the time in which reads are one vehicle's.
    """
    if grant.plate is None or grant.plate == read.plate:
        return False
    key = grant.read.vehicle_key if grant.read is not None else None
    if key is not None and read.vehicle_key is not None:
        # The camera tells them apart; an update of what it has told is folded already.
        return False
    if not may_be_one(grant.plate.text, read.plate.text):
        return False
    if lane.presence_loop:
        return state.stood is None or state.stood == grant.stood
    fold = timedelta(seconds=lane.policy.fold_seconds)
    return any(seen.plate == grant.plate and now - seen.at <= fold for seen in state.seen)


def _without_misread(lane: LaneSetup, state: LaneState, grant: Grant, now: datetime) -> Decision:
    """Who was read while this one was decided on may have been this one, too."""
    if state.waiting is None:
        return state, ()
    read, cause = state.waiting
    if not is_misread(lane, state, grant, read, now):
        return state, ()
    return replace(state, waiting=None), (Settle(cause, Outcome.FOLDED),)


def undo(grant: Grant, reason: str) -> tuple[Effect, ...]:
    """What takes a grant back whose vehicle did not pass."""
    if grant.zone is None:
        resumed = ResumeStay(grant.stay, reason, grant.correlation)
        return resumed, Notice("exit_not_passed", None, reason)
    if grant.moved:
        return (CancelMove(grant.stay, grant.zone, reason, grant.correlation),)
    return (CancelAdmission(grant.stay, grant.zone, reason, grant.correlation),)


def lose_command(
    lane: LaneSetup, state: LaneState, grant: Grant, status: CommandStatus, now: datetime
) -> Decision:
    """The open command will not act any more, or nobody knows whether it did."""
    dead = replace(grant, command=None)
    if isinstance(state.phase, Passing):
        return replace(state, phase=Passing(dead)), ()
    if isinstance(state.phase, Open):
        return replace(state, phase=replace(state.phase, grant=dead)), ()
    if status is CommandStatus.UNKNOWN:
        # It may have opened: the loops will tell, or the passage timer.
        tries = state.phase.tries if isinstance(state.phase, Opening) else 1
        return replace(state.forget(grant.plate), phase=Opening(dead, tries)), ()
    return give_up(lane, state, grant, f"command_{status}", now)


def break_down(
    lane: LaneSetup, state: LaneState, grant: Grant, reason: str, now: datetime
) -> Decision:
    """The arm does not go up: the lane is out of service, and whoever stands there is told."""
    state, raised = with_fault(state, Fault.ARM_STUCK, now, on=True)
    told = SendCommand(grant.correlation, Do.DENY, DenyReason.OUT_OF_SERVICE, plate=grant.plate)
    state, effects = give_up(lane, state, grant, reason, now)
    return state, (*raised, told, *effects)


# ── opened by hand ──────────────────────────────────────────────────────────────────────────


def let_through(
    lane: LaneSetup,
    state: LaneState,
    request: Request,
    read: PlateRead | None,
    now: datetime,
    *,
    unread: bool = False,
) -> Decision:
    """An operator opened: whoever stands there has the time of a passage."""
    left, crossing = stopped(state.phase), state.crossing
    read = opened_for(request, read)
    unread = unread and read is None
    if crossing is not None and crossing.stood is not None and crossing.stood == state.stood:
        # It was on the closing loop already when it was opened for.
        crossing = Crossing(FreeKind.OPERATOR, read or crossing.read, request=request)
        state = replace(state, crossing=crossing)
    state, timer = start_timer(state, TimerName.PASSAGE, lane.policy.passage_seconds_max)
    return replace(state, courtesy=None).enter(LetThrough(request, read, unread), now), (
        *left,
        timer,
    )


def is_next_let_through(phase: LetThrough, read: PlateRead) -> bool:
    """Whether the one that is read stands there in the place of the one that it was opened for:
    the presence loop has been clear since, and the plate is none that may be a misreading."""
    return phase.again and (phase.read is None or is_other(read, phase.read))
