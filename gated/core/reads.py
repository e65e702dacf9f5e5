"""Which step a camera's observation asks for: serve, fold, queue or refuse it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from gated.core.access import judge_age, judge_confidence
from gated.core.effects import Deny, DenyReason, Outcome, Settle, StopTimer
from gated.core.events import Cause, PlateRead, TimerName
from gated.core.lane import (
    Approached,
    AwaitingPayment,
    Deciding,
    Denied,
    Idle,
    LaneState,
    Opening,
    Passing,
    Phase,
)
from gated.core.serving import Decision, begin, begin_again, go_unpaid, may_stand_there
from gated.core.site import LaneSetup


def on_read(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    """A plate was read."""
    # Late reads are recorded and shown to nobody: whoever stood there is long gone.
    if reason := judge_age(lane.policy, cause):
        return state, (Deny(cause, reason, read, show=False),)
    if _is_served(state.phase, read) or state.has_seen(read, now, lane.policy.fold_seconds):
        return state, (Settle(cause, Outcome.FOLDED),)
    if reason := judge_confidence(lane.policy, read):
        return _refuse_beside(lane, state, cause, read, reason, now)
    match state.phase:
        case Idle() | Denied():
            return begin(lane, state, cause, read, now)
        case Approached():
            return _on_read_again(lane, state, state.phase, cause, read, now)
        case Opening(grant) if grant.plate == read.plate and may_stand_there(lane, state):
            # Its open command died or is of unknown fate: fresh evidence, a new decision.
            return begin_again(state, grant, cause, read, now)
        case AwaitingPayment() if not lane.presence_loop:
            # Nothing else tells that the one before has given up.
            queued, superseded = _queue(state, cause, read)
            after, effects = go_unpaid(lane, queued, state.phase, now)
            return after, (*superseded, *effects)
        case Deciding() | AwaitingPayment() | Opening() | Passing():
            return _queue(state, cause, read)
        case _:
            assert_never(state.phase)


def _queue(state: LaneState, cause: Cause, read: PlateRead) -> Decision:
    """Keep the read for when the vehicle before it is served; the newest counts."""
    queued = replace(state, waiting=(read, cause))
    if state.waiting is None:
        return queued, ()
    return queued, (Settle(state.waiting[1], Outcome.SUPERSEDED),)


def on_unread(lane: LaneSetup, state: LaneState, cause: Cause, now: datetime) -> Decision:
    """A vehicle was seen whose plate nobody can read: told so, if it may stand there unserved."""
    fresh = judge_age(lane.policy, cause) is None
    show = fresh and isinstance(state.phase, Idle) and may_stand_there(lane, state)
    if show:
        state = state.enter(Denied(None), now)
    return state, (Deny(cause, DenyReason.PLATE_UNREAD, None, show=show),)


def _is_served(phase: Phase, read: PlateRead) -> bool:
    """Whether the read is of the vehicle that is being served, and brings nothing new."""
    match phase:
        case Deciding():
            return phase.read.plate == read.plate
        case Opening(grant):
            return grant.plate == read.plate and grant.command is not None
        case Passing(grant):
            return grant.plate == read.plate
        case AwaitingPayment():
            return phase.read.plate == read.plate
        case Idle() | Approached() | Denied():
            return False
        case _:
            assert_never(phase)


def _on_read_again(
    lane: LaneSetup,
    state: LaneState,
    phase: Approached,
    cause: Cause,
    read: PlateRead,
    now: datetime,
) -> Decision:
    superseded = Settle(phase.cause, Outcome.SUPERSEDED)
    if _same_vehicle(phase.read, read) and not may_stand_there(lane, state):
        # The newest text counts. The timer runs on: who is read for ever must also arrive.
        return replace(state, phase=Approached(read, cause)), (superseded,)
    state, effects = begin(lane, state, cause, read, now)
    return state, (StopTimer(TimerName.PRESENCE), superseded, *effects)


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
    if not isinstance(phase, Idle | Denied) or not may_stand_there(lane, state):
        return state, (Deny(cause, reason, read, show=False),)
    told = now - state.since <= timedelta(seconds=lane.policy.fold_seconds)
    if isinstance(phase, Denied) and phase.plate == read.plate and told:
        return state, (Settle(cause, Outcome.FOLDED),)
    return state.enter(Denied(read.plate), now), (Deny(cause, reason, read, show=True),)
