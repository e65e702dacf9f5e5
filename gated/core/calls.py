"""The call of a lane: somebody stands there and needs a person.

It is found anew after each event from what the lane has become, so that none outlasts its vehicle:
it ends when that leaves, is let through, matched or served. While a vehicle is decided on once
more, because it is read again or may have paid, its call goes on: an intercom does not ring twice.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gated.core.effects import Fault
from gated.core.events import BarrierState
from gated.core.lane import Call, LaneState
from gated.core.phases import (
    AwaitingPayment,
    Closed,
    Deciding,
    Denied,
    Gathering,
    Open,
    Opening,
    OutOfService,
    Passing,
)
from gated.core.reasons import CallReason, DenyReason
from gated.core.site import Direction, LaneSetup

# The refusals after which nobody but a person helps.
_HELPLESS = frozenset(
    {
        DenyReason.PLATE_UNREAD,
        DenyReason.READ_UNCERTAIN,
        DenyReason.READ_UNRATED,
        DenyReason.NO_ENTRY_FOUND,
    }
)


def with_call(lane: LaneSetup, before: LaneState, after: LaneState, now: datetime) -> LaneState:
    """The lane as an event has left it, with the call that is due now."""
    if after is before:
        return after
    call = _call(lane, before, after, now)
    # Who does not call any more has been helped: the next one asks for itself.
    pressed = None if call is None else after.pressed
    if (call, pressed) == (after.call, after.pressed):
        return after
    return replace(after, call=call, pressed=pressed)


def _call(lane: LaneSetup, before: LaneState, after: LaneState, now: datetime) -> Call | None:
    earlier = before.call if _is_same(lane, before, after) else None
    if isinstance(after.phase, Deciding | Gathering) and earlier is not None:
        return earlier
    why = _why(lane, after, earlier, now)
    if why is None:
        return None
    return Call(why, now if earlier is None else earlier.since)


def _is_same(lane: LaneSetup, before: LaneState, after: LaneState) -> bool:
    """Whether the vehicle that may have called stands there still."""
    match before.phase, after.phase:
        case Passing(earlier), Passing(grant):
            return earlier.stay == grant.stay
        case (Passing(), _) | (_, Passing()):
            # Who is under the arm is not who stands on the presence loop.
            return False
        case _ if lane.presence_loop:
            return after.stood is not None and before.stood == after.stood
        case _:
            # Nothing tells when one leaves: it is the same until something else is known.
            undecided = isinstance(after.phase, Deciding | Gathering)
            return undecided or before.phase == after.phase


def _why(
    lane: LaneSetup, state: LaneState, earlier: Call | None, now: datetime
) -> CallReason | None:
    match state.phase:
        case Denied(near=near) if near:
            return CallReason.MATCH_NEEDED
        case Denied(reason=reason) if reason in _HELPLESS and not _is_doubted(state, earlier):
            return CallReason(reason)
        case Opening(grant) | Open(grant):
            shut_out = grant.came_down and grant.command is None
            shut_out = shut_out and state.arm is BarrierState.CLOSED
            calls = state.presence and (grant.overdue or shut_out)
            return CallReason.VEHICLE_NOT_MOVING if calls else None
        case AwaitingPayment(since=since) if _waits_long(lane, state, since, now):
            return CallReason.PAYMENT_WAITING
        case Passing(grant) if grant.came_down and state.arm is BarrierState.CLOSED:
            return CallReason.ARM_DOWN_ON_VEHICLE
        case OutOfService() if state.presence and lane.direction is not Direction.ENTRY:
            return CallReason.OUT_OF_SERVICE
        case Denied() | Deciding() | AwaitingPayment() | Closed() | OutOfService():
            asked = state.pressed is not None and state.pressed == state.stood
            return CallReason.BUTTON if asked else None
        case _:
            return None


def _waits_long(lane: LaneSetup, state: LaneState, since: datetime, now: datetime) -> bool:
    """Whether a driver stands there who has had the time to pay. Found at each look."""
    return state.presence and now - since >= timedelta(seconds=lane.policy.payment_seconds_max)


def _is_doubted(state: LaneState, earlier: Call | None) -> bool:
    """Whether it is only a loop which is stuck that tells of a vehicle. It would call after each
    one that passes; but who called before that was known is not forgotten."""
    assert isinstance(state.phase, Denied)
    if state.phase.seen or Fault.PRESENCE_LOOP_STUCK not in state.faults:
        return False
    return earlier is None or earlier.why is CallReason.BUTTON
