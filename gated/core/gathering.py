"""Gathering reads of one vehicle where none of them is sure, until they agree or time is up.

What they agree on is judged in `gated.core.consensus`; here are the steps of the lane. A vehicle
whose first read is sure is never waited for. One whose reads are not waits at most
`consensus_seconds_max` longer than its first read, and is then decided on, or refused.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gated.core.access import judge_confidence
from gated.core.confusables import may_be_one
from gated.core.consensus import Sighting, agreed, is_sure
from gated.core.crossing import begin_crossing, is_crossed
from gated.core.effects import Deny, Effect, Outcome, Settle
from gated.core.events import Cause, PlateRead, TimerName
from gated.core.lane import LaneState
from gated.core.phases import Closing, Denied, Gathering, Idle, Occupied
from gated.core.reasons import DenyReason
from gated.core.rest import (
    Decision,
    Turn,
    refused_as_before,
    stands_refused,
    start_timer,
    stopped,
)
from gated.core.serving import begin, finish, may_stand_there
from gated.core.site import LaneSetup

SIGHTINGS_COUNT_MAX = 8


def is_gathered(lane: LaneSetup, state: LaneState, read: PlateRead) -> bool:
    """Whether this read is not judged by itself, but with others of its vehicle."""
    match state.phase:
        case Gathering():
            return True
        case Idle() | Occupied() | Denied() | Closing():
            return _wants_more(lane, state, read)
        case _:
            return False


def begin_surely(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    """Start serving a vehicle: decide on its read, or gather more of them."""
    if not _wants_more(lane, state, read):
        return begin(lane, state, cause, read, now)
    left = stopped(state.phase)
    refused = state.phase if isinstance(state.phase, Denied) else None
    told_at = state.since if refused is not None else None
    if not stands_refused(lane, state, refused):
        refused = None
    state, timer = start_timer(state, TimerName.CONSENSUS, lane.policy.consensus_seconds_max)
    gathering = Gathering((Sighting(read, cause),), told_at, refused)
    return state.enter(gathering, now), (*left, timer)


def gather_read(turn: Turn) -> Decision:
    """Another read while they are gathered."""
    lane, state, cause, read = turn.lane, turn.state, turn.cause, turn.reported
    phase = state.phase
    assert isinstance(phase, Gathering)
    assert isinstance(read, PlateRead)
    assert cause is not None
    if is_sure(lane.policy, read):
        if reason := judge_confidence(lane.policy, read):
            return state, (Deny(cause, reason, read, show=False),)
        # Whoever it is of: the unsure ones would not have kept it waiting.
        return _decide(turn, phase.sightings, Sighting(read, cause))
    if not any(_may_be_one(each.read, read) for each in phase.sightings):
        return state, (Deny(cause, DenyReason.READ_UNCERTAIN, read, show=False),)
    sightings = (*phase.sightings, Sighting(read, cause))
    dropped = sightings[:-SIGHTINGS_COUNT_MAX]
    sightings = sightings[-SIGHTINGS_COUNT_MAX:]
    settled = tuple(Settle(each.cause, Outcome.FOLDED) for each in dropped)
    found = agreed(lane.policy, sightings, over=False)
    if found is None:
        return replace(state, phase=replace(phase, sightings=sightings)), settled
    state, effects = _decide(turn, sightings, found.sighting)
    return state, (*settled, *effects)


def gathered_enough(turn: Turn) -> Decision:
    """No more reads are waited for: decide on what they agree on, or refuse the vehicle."""
    phase, policy = turn.state.phase, turn.lane.policy
    assert isinstance(phase, Gathering)
    found = agreed(policy, phase.sightings, over=True)
    if found is not None:
        return _decide(turn, phase.sightings, found.sighting)
    *others, last = phase.sightings
    if phase.refused is not None and stands_refused(turn.lane, turn.state, phase.refused):
        unshown = Deny(last.cause, DenyReason.READ_UNCERTAIN, last.read, show=False)
        return refused_as_before(turn.state, phase.refused), (*superseded(others), unshown)
    # A vehicle that is read badly again and again is told so now and then, not all the time.
    fold = timedelta(seconds=policy.fold_seconds)
    told_at = phase.told_at
    is_told = told_at is not None and turn.now - told_at <= fold
    denial = Deny(last.cause, DenyReason.READ_UNCERTAIN, last.read, show=not is_told)
    since = told_at if told_at is not None and is_told else turn.now
    denied = Denied(last.read, DenyReason.READ_UNCERTAIN)
    return turn.state.enter(denied, since), (*superseded(others), denial)


def left_unsure(turn: Turn) -> Decision:
    """The vehicle left the presence loop before anything was sure."""
    return _gone(turn, turn.state)


def crossed_unsure(turn: Turn) -> Decision:
    """Somebody is on the closing loop, be it this vehicle or another: nothing is opened for it."""
    phase = turn.state.phase
    assert isinstance(phase, Gathering)
    assert turn.cause is not None
    read = phase.sightings[-1].read
    state, noticed = begin_crossing(turn.lane, turn.state, turn.cause, read, turn.now)
    if not is_crossed(state):
        return state, noticed
    state, effects = _gone(turn, state)
    return state, (*noticed, *effects)


def superseded(sightings: tuple[Sighting, ...] | list[Sighting]) -> tuple[Effect, ...]:
    """What becomes of the messages that no decision is about."""
    return tuple(Settle(each.cause, Outcome.SUPERSEDED) for each in sightings)


def _wants_more(lane: LaneSetup, state: LaneState, read: PlateRead) -> bool:
    return may_stand_there(lane, state) and not is_sure(lane.policy, read)


def _gone(turn: Turn, state: LaneState) -> Decision:
    phase = state.phase
    assert isinstance(phase, Gathering)
    *others, last = phase.sightings
    denial = Deny(last.cause, DenyReason.READ_UNCERTAIN, last.read, show=False)
    state, effects = finish(turn.lane, state, turn.now)
    return state, (*stopped(phase), *superseded(others), denial, *effects)


def _decide(turn: Turn, sightings: tuple[Sighting, ...], chosen: Sighting) -> Decision:
    lane, state, now = turn.lane, turn.state, turn.now
    others = superseded([each for each in sightings if each.cause.event != chosen.cause.event])
    if state.has_seen(chosen.read, now, lane.policy.fold_seconds):
        left, phase = stopped(state.phase), state.phase
        refused = phase.refused if isinstance(phase, Gathering) else None
        if refused is not None and stands_refused(lane, state, refused):
            settled = (*others, Settle(chosen.cause, Outcome.FOLDED))
            return refused_as_before(state, refused), (*left, *settled)
        state, effects = finish(lane, state, now)
        return state, (*left, *others, Settle(chosen.cause, Outcome.FOLDED), *effects)
    state, effects = begin(lane, state, chosen.cause, chosen.read, now)
    return state, (*others, *effects)


def _may_be_one(one: PlateRead, other: PlateRead) -> bool:
    """Whether both may be reads of one vehicle: by the device's key, else by their likeness."""
    if one.vehicle_key is not None and other.vehicle_key is not None:
        return one.vehicle_key == other.vehicle_key
    return may_be_one(one.plate.text, other.plate.text)
