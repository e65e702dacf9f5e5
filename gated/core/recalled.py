"""A question for payment from before a restart: whose it is, and whether it goes on.

The database remembers that a driver was asked, and keeps the read that led to it until something is
decided. Whoever stood there is asked still if, as far as the loops tell, nobody has moved since:
the presence loop has been on since before the question, and nobody came onto the closing loop.
Where there is no presence loop, it is believed for `payment_seconds_max`. Nothing opens by what was
known before: only once something fresh tells of the vehicle or of money, see `AwaitingPayment`.
"""

from dataclasses import replace
from datetime import timedelta

from gated.core.effects import Fault
from gated.core.events import Cause, PlateRead
from gated.core.judging import wait_for_payment
from gated.core.lane import LaneState
from gated.core.matching import Likely, match, misread
from gated.core.phases import AwaitingPayment, Closed, Idle, Occupied
from gated.core.rest import Decision, Turn, stopped
from gated.core.site import Direction, LaneSetup, UnpaidExit
from gated.core.snapshot import AskedPayment, Matched


def asked_before(turn: Turn, cause: Cause, read: PlateRead) -> Decision | None:
    """Take up the question that this read had led to; None if it is like any other read."""
    lane, state, asked = turn.lane, turn.state, turn.state.asked
    if asked is None or asked.event != cause.event or not _stands_there(turn, asked):
        return None
    matched: Matched | None = None
    if read.plate != asked.stay.plate:
        found = match(read, (asked.stay,), lane.policy.match_distance_max)
        if not isinstance(found, Likely):
            # Taken for it by an operator, or while the lane's policy was another.
            return None
        near = found.near
        matched = Matched(asked.stay.plate, near.reason, near.distance, misread(near))
    waited = (turn.now - cause.received_at).total_seconds()
    if cause.age_seconds is not None:
        # As old as it was when it was decided on: the question is what goes on, not the read.
        cause = replace(cause, age_seconds=max(0.0, cause.age_seconds - waited))
    phase = AwaitingPayment(
        read, cause, asked.due, asked.since, matched, stood=state.stood, recalled=True
    )
    left = stopped(state.phase)
    state = replace(state, asked=None).remember(read, turn.now)
    state, effects = wait_for_payment(lane, state, phase, turn.now)
    return state, (*left, *effects)


def without_question(state: LaneState, cause: Cause) -> LaneState:
    """A loop has its last word from then; if that was after the question, nobody knows who stands
    there now."""
    if state.asked is None or cause.received_at <= state.asked.since:
        return state
    return replace(state, asked=None)


def _stands_there(turn: Turn, asked: AskedPayment) -> bool:
    lane, state = turn.lane, turn.state
    if not _asks(lane) or not state.serves_out or state.closing or state.crossing is not None:
        return False
    match state.phase:
        case Idle() if not lane.presence_loop:
            seconds = lane.policy.payment_seconds_max
            return turn.now - asked.since <= timedelta(seconds=seconds)
        case Occupied() | Closed():
            return state.presence and Fault.PRESENCE_LOOP_STUCK not in state.faults
        case _:
            return False


def _asks(lane: LaneSetup) -> bool:
    return lane.direction is Direction.EXIT and lane.policy.unpaid_exit is UnpaidExit.WAIT
