"""Vehicles on the closing loop that nobody granted passage: how they came there, and their record.

Nothing here decides about anybody; the books are put right once the vehicle is through.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gated.core.effects import Fault, FreeKind, Notice, PassFreely
from gated.core.events import BarrierState, Cause, PlateRead, Request
from gated.core.lane import Crossing, LaneState, TurnedBack
from gated.core.phases import AwaitingPayment, Closing, Deciding
from gated.core.rest import Decision, with_fault
from gated.core.site import LaneSetup
from gated.core.snapshot import Matched


def known_as(read: PlateRead, matched: Matched | None) -> PlateRead:
    """The read for the books: by the plate that it was taken for, in the words of the camera."""
    return read if matched is None else replace(read, plate=matched.plate)


def opened_for(request: Request, read: PlateRead | None) -> PlateRead | None:
    """Whom an operator has opened for: whom he names, in the words of the camera; else whom that
    has read."""
    if request.plate is None:
        return read
    return PlateRead(request.plate, "") if read is None else replace(read, plate=request.plate)


def begin_crossing(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead | None, now: datetime
) -> Decision:
    """Somebody came onto the closing loop without a grant; `read` if it is known who."""
    if is_trailer(lane, state, now):
        return with_trailer(state), ()
    notice = Notice("passage_without_grant", cause)
    if state.courtesy is not None:
        # An operator has opened for it: nobody waits for the verdict.
        known = opened_for(state.courtesy, read)
        crossing: Crossing | None = Crossing(FreeKind.OPERATOR, known, request=state.courtesy)
        state = replace(state, courtesy=None)
    else:
        crossing = _explained(lane, state, read, now)
    if crossing is None:
        return state, (notice,)
    crossing = replace(crossing, stood=state.stood)
    state = replace(state, crossing=crossing, turned_back_last=None)
    if crossing.kind is FreeKind.FORCED_BARRIER:
        state, raised = with_fault(state, Fault.ARM_FORCED, now, on=True, cause=cause)
        return state, (replace(notice, detail=crossing.kind), *raised)
    return state, (replace(notice, detail=crossing.kind),)


def end_crossing(state: LaneState, cause: Cause) -> Decision:
    """Whoever crossed without a grant is through."""
    crossing = state.crossing
    if crossing is None:
        return state, ()
    state, kind = replace(state, crossing=None), crossing.kind
    if crossing.trailer:
        return state.with_cleared(cause.received_at), (Notice("trailer_assumed", cause),)
    if stands_still(state, crossing):
        # Back again, or through with another close behind it. Nobody is accused of either.
        is_up = state.arm in (BarrierState.OPENED, BarrierState.MOVING)
        if not crossing.followed and not is_up:
            return state, (Notice("rolled_back", cause, kind),)
        kind = FreeKind.UNEXPLAINED
    passed = PassFreely(cause, kind, crossing.read, crossing.after, crossing.request)
    return state.with_cleared(cause.received_at), (passed,)


def is_trailer(lane: LaneSetup, state: LaneState, now: datetime) -> bool:
    """Whether what comes onto the closing loop is taken for a part of who has just cleared it: it
    comes so soon after, and nobody has driven onto the presence loop since."""
    last = state.cleared_last
    if last is None or now - last.at >= timedelta(seconds=lane.policy.trailer_seconds):
        return False
    return state.stood is None or state.stood == last.stood


def with_trailer(state: LaneState) -> LaneState:
    """A part of the last vehicle is under the arm: no passage, whoever is served meanwhile."""
    return replace(state, crossing=Crossing(FreeKind.UNEXPLAINED, trailer=True))


def is_crossed(state: LaneState) -> bool:
    """Whether a vehicle of its own is on the closing loop without a grant."""
    return state.crossing is not None and not state.crossing.trailer


def stands_still(state: LaneState, crossing: Crossing) -> bool:
    """Whether it has been on the presence loop all the while, and nobody opened for it.

    Who drives through leaves the presence loop first.
    """
    if crossing.request is not None or Fault.PRESENCE_LOOP_STUCK in state.faults:
        return False
    return state.presence and crossing.stood is not None and state.stood == crossing.stood


def is_under(state: LaneState, read: PlateRead) -> bool:
    """Whether it is this one, known by its plate or by its words, that crosses without a grant."""
    own = state.crossing.read if state.crossing is not None else None
    if own is None:
        return False
    return own.plate == read.plate or own.plate_raw == read.plate_raw != ""


def is_on_both(state: LaneState) -> bool:
    """Whether whoever crosses without a grant is on the presence loop too, all the while: it may
    yet roll back."""
    return state.closing and state.crossing is not None and stands_still(state, state.crossing)


def is_through(state: LaneState, phase: Deciding) -> bool:
    """Whether the one that is decided on has crossed, or is about to: nothing is opened for it any
    more. Who was asked to pay before goes on being asked while it may roll back."""
    if phase.crossed is None or phase.earlier is not None:
        return False
    return phase.asked is None or phase.asked.recalled or not is_on_both(state)


def rolled_back(state: LaneState, phase: AwaitingPayment, now: datetime) -> AwaitingPayment:
    """The question goes on for one that has rolled back. Where no arm says that it was down, it may
    as well be through, with the next one close behind."""
    is_down = state.arm is BarrierState.CLOSED
    return phase if is_down else replace(phase, rolled_at=now)


def unknown_follower(state: LaneState) -> Crossing | None:
    """Who is under the arm in another's opening, if nobody knows who it is.

    Only one that came from the presence loop, and that nobody has driven onto since: a read of
    somebody who stands there now is not taken for its own. Should that loop clear while it is
    under the arm, then whoever was read there is the one.
    """
    crossing = state.crossing
    if crossing is None or not crossing.followed or crossing.stood is None:
        return None
    known = crossing.read is not None or crossing.request is not None
    return None if known or Fault.CLOSING_LOOP_STUCK in state.faults else crossing


def with_follower(state: LaneState, read: PlateRead | None) -> LaneState:
    """The presence loop has cleared: who was read there is under the arm, if nobody knows yet who
    that is."""
    crossing = unknown_follower(state)
    if crossing is None or state.presence or not state.closing:
        return state
    return replace(state, crossing=replace(crossing, read=read))


def end_crossing_of(state: LaneState, phase: Deciding) -> Decision:
    """The decision about it grants nothing. If it is through by now, that is recorded."""
    if phase.crossed is None or state.closing:
        return state, ()
    return end_crossing(state, phase.crossed)


def _explained(
    lane: LaneSetup, state: LaneState, read: PlateRead | None, now: datetime
) -> Crossing | None:
    """How it came there; None if it did not come the way of the lane, or nothing shows a vehicle.

    Who drives the way of the lane was on the presence loop first. Whoever follows another was
    there after that one had cleared the closing loop, or stands there still.
    """
    last, left_at = state.passed_last, state.presence_left_at
    window = timedelta(seconds=lane.policy.tailgate_seconds)
    followed = last is not None and (isinstance(state.phase, Closing) or now - last.at <= window)
    if lane.presence_loop and not state.presence:
        since = last.at if last is not None and followed else now - _leaving(lane)
        if left_at is None or left_at <= since:
            return _slow(lane, state, now)
    if followed:
        assert last is not None
        # On the presence loop since before the last one passed: perhaps it is that one, which had
        # only rolled onto the closing loop and back, or that came on from outside.
        still = last.stood is not None and last.stood == state.stood
        proven = last.stay is not None and not still
        kind = FreeKind.TAILGATING if proven else FreeKind.UNEXPLAINED
        return Crossing(kind, read, last.stay, followed=True)
    if lane.arm_switch and state.arm is BarrierState.CLOSED:
        return Crossing(FreeKind.FORCED_BARRIER, read)
    if _is_asked(state) and _up_for_another(lane, state, now) is None:
        return Crossing(FreeKind.EXIT_WITHOUT_PAYMENT, read)
    if read is None and not lane.presence_loop:
        # A closing loop alone: a bicycle, a trolley, a hand. No stay is made of that.
        return None
    return Crossing(FreeKind.UNEXPLAINED, read)


def _is_asked(state: LaneState) -> bool:
    """Whether somebody who goes now goes without paying: not one that was asked before a restart,
    who may have paid or been let out while nobody looked."""
    return isinstance(state.phase, AwaitingPayment) and not state.phase.recalled


def _up_for_another(lane: LaneSetup, state: LaneState, now: datetime) -> TurnedBack | None:
    """The one that turned back, while the arm may still be up for it."""
    last = state.turned_back_last
    if last is None or now - last.at > timedelta(seconds=lane.policy.passage_seconds_max):
        return None
    return last


def _slow(lane: LaneSetup, state: LaneState, now: datetime) -> Crossing | None:
    """Nobody has been at the barrier since one seemed to turn back: it had stopped between the
    loops, and goes through yet."""
    last, left_at = _up_for_another(lane, state, now), state.presence_left_at
    if last is None or (left_at is not None and left_at > last.at):
        return None
    return Crossing(FreeKind.UNEXPLAINED, last.read)


def _leaving(lane: LaneSetup) -> timedelta:
    return timedelta(seconds=lane.policy.backout_seconds_max)
