"""Which step a camera's observation asks for: fold, gather, serve, queue or refuse it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from gated.core.access import judge_age, judge_confidence
from gated.core.consensus import is_sure
from gated.core.effects import (
    Deny,
    Do,
    Effect,
    Fault,
    FreeKind,
    Notice,
    Outcome,
    PassageKnown,
    PassFreely,
    SendCommand,
    Settle,
)
from gated.core.events import Cause, PlateRead, TimerName
from gated.core.gathering import begin_surely, is_gathered
from gated.core.lane import Crossing, LaneState
from gated.core.overlays import is_overlay
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
    Phase,
    Refusal,
    grant_of,
)
from gated.core.reasons import DenyReason
from gated.core.rest import (
    Decision,
    Turn,
    open_held,
    stands_refused,
    start_timer,
    stopped,
    with_fault,
)
from gated.core.serving import (
    begin_again,
    give_up,
    go_unpaid,
    has_taken_place,
    is_misread,
    is_next_let_through,
    is_other,
    is_replaced,
    may_stand_there,
    turn_back,
)
from gated.core.site import Direction, LanePolicy, LaneSetup

# So many vehicles in a row that a camera did not read, and it counts as silent.
UNREAD_COUNT_MAX = 3


def is_no_plate(policy: LanePolicy, read: PlateRead) -> bool:
    """Whether the text is none that the lane takes for a plate: a fragment, or a listed overlay."""
    length = len(read.plate.text)
    if not policy.read_length_min <= length <= policy.read_length_max:
        return True
    return is_overlay(read.plate, policy.reads_ignored)


def sifted(turn: Turn, cause: Cause, read: PlateRead) -> Decision | None:
    """What a read comes to whatever the phase is: too old, told before, or not sure enough.

    None for one that the phase has to answer.
    """
    lane, state, now = turn.lane, turn.state, turn.now
    # Late reads are recorded and shown to nobody: whoever stood there is long gone.
    if reason := judge_age(lane.policy, cause):
        return _too_late(turn, Deny(cause, reason, read, show=False))
    if _is_served(state.phase, read) or state.has_seen(read, now, lane.policy.fold_seconds):
        return _recognised(state, read), (Settle(cause, Outcome.FOLDED),)
    if is_gathered(lane, state, read):
        return None
    if reason := judge_confidence(lane.policy, read):
        return _refuse_beside(lane, state, cause, read, reason, now)
    return None


def serve(turn: Turn) -> Decision:
    """Nobody is before it: decide on this one."""
    cause, read = _seen(turn)
    return begin_surely(turn.lane, turn.state, cause, read, turn.now)


def serve_or_wait(turn: Turn) -> Decision:
    """Nobody has passed yet that was granted it: the same one again, or the next."""
    phase = turn.state.phase
    assert isinstance(phase, Opening | Open)
    cause, read = _seen(turn)
    if phase.grant.plate == read.plate and may_stand_there(turn.lane, turn.state):
        # Its open command died or is of unknown fate: fresh evidence, a new decision.
        return begin_again(turn.state, phase.grant, cause, read, turn.now)
    queued, superseded = wait_in_line(turn)
    if queued.closing or not has_taken_place(turn.lane, queued, phase.grant):
        return queued, superseded
    state, effects = turn_back(turn.lane, queued, phase.grant, turn.now)
    return state, (*superseded, *effects)


def read_passing(turn: Turn) -> Decision:
    """Somebody is read while another one is under the arm; if it is that one itself, which took
    the place of the one that might pass, it passes without a grant."""
    phase = turn.state.phase
    assert isinstance(phase, Passing)
    queued, superseded = wait_in_line(turn)
    if not has_taken_place(turn.lane, queued, phase.grant):
        return queued, superseded
    cause, read = _seen(turn)
    crossing = Crossing(FreeKind.UNEXPLAINED, read, stood=queued.stood)
    state = replace(queued.remember(read, turn.now), waiting=None, crossing=crossing)
    state, effects = give_up(turn.lane, state, phase.grant, "no_passage", turn.now)
    noted = Settle(cause, Outcome.NOTED), Notice("passage_without_grant", cause, crossing.kind)
    return state, (*superseded, *noted, *effects)


def serve_instead(turn: Turn) -> Decision:
    """Somebody was asked to pay, and another one is read."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    queued, superseded = wait_in_line(turn)
    if turn.lane.presence_loop and not is_replaced(turn.lane, queued, phase):
        return queued, superseded
    # Without a loop nothing else tells that the one before has given up.
    state, effects = go_unpaid(turn.lane, queued, phase, turn.now)
    return state, (*superseded, *effects)


def wait_in_line(turn: Turn) -> Decision:
    """Keep the read for when the vehicle before it is served; the newest counts. One of the vehicle
    before itself, which may pass already, is folded."""
    before = turn.state.waiting
    cause, read = _seen(turn)
    grant = grant_of(turn.state.phase)
    if grant is not None and is_misread(turn.lane, turn.state, grant, read, turn.now):
        return turn.state, (Settle(cause, Outcome.FOLDED),)
    queued = replace(turn.state, waiting=(read, cause))
    if before is None:
        return queued, ()
    return queued, (Settle(before[1], Outcome.SUPERSEDED),)


def read_again(turn: Turn) -> Decision:
    """Somebody was read before it arrived, and is read anew, or another one is."""
    lane, state, phase = turn.lane, turn.state, turn.state.phase
    assert isinstance(phase, Approached)
    cause, read = _seen(turn)
    superseded = Settle(phase.cause, Outcome.SUPERSEDED)
    if _same_vehicle(phase.read, read) and not may_stand_there(lane, state):
        # The newest text counts. The timer runs on: who is read for ever must also arrive.
        return replace(state, phase=Approached(read, cause)), (superseded,)
    state, effects = begin_surely(lane, state, cause, read, turn.now)
    return state, (superseded, *effects)


def note_held(turn: Turn) -> Decision:
    """Whoever passes a lane that is held open is noted; without a closing loop, as through."""
    cause, read = _seen(turn)
    state = turn.state.remember(read, turn.now)
    under = state.crossing.read if state.crossing is not None else None
    if under is not None and under.plate == read.plate:
        # It is under the arm already; whoever was read since is behind it.
        return state, (Settle(cause, Outcome.FOLDED),)
    opened = _open_held_unseen(turn.lane, state, cause)
    settled = Settle(cause, Outcome.NOTED)
    if turn.lane.closing_loop:
        return replace(state, phase=Held(read)), (*opened, settled)
    kind = FreeKind.EVACUATION if state.evacuating else FreeKind.HELD
    through = PassFreely(cause, kind, read, known=PassageKnown.ASSUMED)
    return state, (*opened, settled, through)


def note_let_through(turn: Turn) -> Decision:
    """Who stands there was let through and is read: known by now. Or it is the next one."""
    phase, state = turn.state.phase, turn.state
    assert isinstance(phase, LetThrough)
    cause, read = _seen(turn)
    known = phase.unread or phase.read is not None
    if known and is_next_let_through(phase, read):
        known = False
    if known or state.closing or not may_stand_there(turn.lane, state):
        return wait_in_line(turn)
    state = state.remember(read, turn.now)
    state = replace(state, phase=replace(phase, read=read, unread=False))
    return state, (Settle(cause, Outcome.NOTED),)


def turn_away(turn: Turn) -> Decision:
    """The lane serves nobody: the driver is told why."""
    cause, read = _seen(turn)
    reason = DenyReason.CLOSED
    if turn.state.evacuating:
        reason = DenyReason.EVACUATION
    elif isinstance(turn.state.phase, OutOfService):
        reason = DenyReason.OUT_OF_SERVICE
    state = turn.state.remember(read, turn.now).refused(read.plate, turn.now)
    phase = state.phase
    assert isinstance(phase, Closed | OutOfService)
    leads_in = turn.lane.direction is not Direction.EXIT
    if leads_in and state.presence and is_sure(turn.lane.policy, read):
        refusal = Refusal(cause, turn.now, state.stood)
        state = replace(state, phase=replace(phase, denied=Denied(read, reason, refusal=refusal)))
    return state, (Deny(cause, reason, read, show=may_stand_there(turn.lane, state)),)


def unread(turn: Turn) -> Decision:
    """A vehicle was seen whose plate nobody can read, while nobody else is served."""
    lane, state, cause = turn.lane, turn.state, turn.cause
    assert cause is not None
    if judge_age(lane.policy, cause) is not None or not may_stand_there(lane, state):
        return unread_beside(turn)
    return unread_vehicle(lane, state, cause, turn.now)


def unread_beside(turn: Turn) -> Decision:
    """The same, beside one that is served, or far off: recorded and shown to nobody."""
    assert turn.cause is not None
    return turn.state, (Deny(turn.cause, DenyReason.PLATE_UNREAD, None, show=False),)


def unread_held(turn: Turn) -> Decision:
    """The same at a lane that is held open: whoever it is may pass."""
    state, told = unread_beside(turn)
    assert turn.cause is not None
    if judge_age(turn.lane.policy, turn.cause) is not None:
        return state, told
    return state, (*_open_held_unseen(turn.lane, state, turn.cause), *told)


def _open_held_unseen(lane: LaneSetup, state: LaneState, cause: Cause) -> tuple[Effect, ...]:
    # Where there is a presence loop, that tells who is to be opened for.
    return () if lane.presence_loop else open_held(lane, state, cause.event)


def _seen(turn: Turn) -> tuple[Cause, PlateRead]:
    read, cause = turn.reported, turn.cause
    assert isinstance(read, PlateRead)
    assert cause is not None
    return cause, read


def unread_vehicle(
    lane: LaneSetup, state: LaneState, cause: Cause | None, now: datetime
) -> Decision:
    """A vehicle stands there whose plate nobody can read: it is told so, and help is called.

    `cause` is the camera's own word of it; None if no camera said anything.
    """
    left, stood = stopped(state.phase), state.stood
    raised: tuple[Effect, ...] = ()
    if cause is not None:
        told: tuple[Effect, ...] = (Deny(cause, DenyReason.PLATE_UNREAD, None, show=True),)
    else:
        state = replace(state, unread_count=state.unread_count + 1)
        if state.unread_count >= UNREAD_COUNT_MAX:
            state, raised = with_fault(state, Fault.CAMERA_SILENT, now, on=True)
        told = (SendCommand(stood, Do.DENY, DenyReason.PLATE_UNREAD),) if stood is not None else ()
    state, timer = start_timer(state, TimerName.LOOP, lane.policy.loop_seconds_max)
    called = Notice("intercom_call", cause, DenyReason.PLATE_UNREAD)
    denied = Denied(None, DenyReason.PLATE_UNREAD, seen=cause is not None)
    return state.enter(denied, now), (*left, *told, called, *raised, timer)


def _is_served(phase: Phase, read: PlateRead) -> bool:
    """Whether the read is of the vehicle that is being served, and brings nothing new."""
    match phase:
        case Deciding(read=None):
            return True
        case Opening(Grant(plate=None, anew=None)) | Open(Grant(plate=None, anew=None)):
            # It gets a ticket since nobody could read it: as long as it has not moved, this is it.
            return True
        case Deciding():
            # Who was refused would be answered, if it were not just looked whether it may pass.
            return phase.refused is None and phase.plate_read == read.plate
        case Opening() | Open():
            # Else it would be opened for twice.
            return phase.grant.plate == read.plate and phase.may_open
        case Passing(grant):
            return grant.plate == read.plate
        case AwaitingPayment():
            return phase.read.plate == read.plate
        case LetThrough(_, known) | Held(known):
            # By its text, too: it may be known by the plate that this was taken for.
            return known is not None and (
                known.plate == read.plate or known.plate_raw == read.plate_raw
            )
        case Idle() | Occupied() | Approached() | Gathering() | Denied() | Closing():
            return False
        case Closed() | OutOfService():
            return False
        case _:
            assert_never(phase)


def _recognised(state: LaneState, read: PlateRead) -> LaneState:
    """The vehicle that may pass, or was asked to pay before a restart, is read again: nobody has
    taken its place."""
    phase = state.phase
    if isinstance(phase, AwaitingPayment) and phase.recalled:
        return replace(state, phase=replace(phase, recalled=False))
    if not isinstance(phase, Opening | Open) or phase.grant.plate != read.plate:
        return state
    if phase.grant.anew is None or not state.presence:
        return state
    return replace(state, phase=replace(phase, grant=replace(phase.grant, anew=None)))


def _too_late(turn: Turn, denial: Deny) -> Decision:
    """Recorded, and nothing else; but of whom nothing is known since before a restart, another one
    has taken the place."""
    phase = turn.state.phase
    assert denial.read is not None
    if not isinstance(phase, AwaitingPayment) or not phase.recalled:
        return turn.state, (denial,)
    if not is_other(denial.read, phase.read):
        return turn.state, (denial,)
    state, effects = go_unpaid(turn.lane, turn.state, phase, turn.now)
    return state, (denial, *effects)


def _same_vehicle(one: PlateRead, other: PlateRead) -> bool:
    if one.vehicle_key is not None and one.vehicle_key == other.vehicle_key:
        return True
    return one.plate == other.plate


def _refuse_beside(
    lane: LaneSetup,
    state: LaneState,
    cause: Cause,
    read: PlateRead,
    reason: DenyReason,
    now: datetime,
) -> Decision:
    """Refuse a read without disturbing a vehicle that is being served, or one still far off."""
    phase = state.phase
    if not isinstance(phase, Idle | Occupied | Denied) or not may_stand_there(lane, state):
        # Nobody has to be known to leave a lane that is held open.
        opened = _open_held_unseen(lane, state, cause) if isinstance(phase, Held) else ()
        return state, (*opened, Deny(cause, reason, read, show=False))
    waits = isinstance(phase, Denied) and stands_refused(lane, state, phase)
    told = now - state.since <= timedelta(seconds=lane.policy.fold_seconds)
    if isinstance(phase, Denied) and phase.plate == read.plate and (told or waits):
        return state, (Settle(cause, Outcome.FOLDED),)
    if waits:
        # It was read surely, and refused: a poor read makes nobody doubt who stands there.
        return state, (Deny(cause, reason, read, show=False),)
    denial = Deny(cause, reason, read, show=True)
    return state.enter(Denied(read, reason), now), (*stopped(phase), denial)
