"""Serving one vehicle: from its read over the verdict and the open arm to its passage.

Each function is one step: it takes the lane as it is set up and its state, and returns the
next state with the effects to perform. `gated.core.decide` chooses the step for an event.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gated.core.access import judge_entry, judge_exit
from gated.core.effects import (
    Admit,
    CancelAdmission,
    CompletePassage,
    Deny,
    DenyReason,
    Effect,
    Notice,
    Outcome,
    PassageKnown,
    Release,
    Settle,
    StartTimer,
    StopTimer,
    TakeSnapshot,
)
from gated.core.events import Cause, CommandStatus, PlateRead, TimerName
from gated.core.ids import ZoneId
from gated.core.lane import Approached, Deciding, Denied, Grant, Idle, LaneState, Opening, Passing
from gated.core.routing import zones_in_order
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import PlateSnapshot

Decision = tuple[LaneState, tuple[Effect, ...]]


def begin(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    """Start serving a vehicle: gather, or wait until it stands on the presence loop."""
    if lane.presence_loop and not state.presence:
        state, timer = start_timer(state, TimerName.PRESENCE, lane.policy.presence_seconds_max)
        return state.enter(Approached(read, cause), now), (timer,)
    # A driver waits from the message that completes the picture, be it the read or the loop.
    cause = replace(cause, received_monotonic=max(cause.received_monotonic, state.heard_monotonic))
    state = state.remember(read, now).enter(Deciding(read, cause), now)
    return state, (TakeSnapshot(cause, read.plate),)


def judge(
    lane: LaneSetup, state: LaneState, phase: Deciding, snapshot: PlateSnapshot, now: datetime
) -> Decision:
    phase = replace(phase, snapshot=snapshot)
    if lane.direction is Direction.EXIT:
        verdict = judge_exit(snapshot)
        if isinstance(verdict, DenyReason):
            return deny(lane, state, phase, verdict, now)
        assert snapshot.open_stay is not None
        release = Release(phase.cause, phase.read, snapshot.open_stay, verdict)
        return replace(state, phase=phase), (release,)
    verdict = judge_entry(lane.policy, snapshot)
    if isinstance(verdict, DenyReason):
        return deny(lane, state, phase, verdict, now)
    held = snapshot.open_stay.zone if snapshot.open_stay else None
    zones = zones_in_order(lane.zones, snapshot.available, held)
    return try_zones(lane, state, phase, zones, now)


def try_zones(
    lane: LaneSetup, state: LaneState, phase: Deciding, zones: tuple[ZoneId, ...], now: datetime
) -> Decision:
    if not zones:
        return deny(lane, state, phase, DenyReason.FULL, now)
    snapshot = phase.snapshot
    assert snapshot is not None
    reason = judge_entry(lane.policy, snapshot)
    assert not isinstance(reason, DenyReason)
    admit = Admit(phase.cause, phase.read, zones[0], reason, snapshot.vehicle, snapshot.user)
    return replace(state, phase=replace(phase, zones_left=zones[1:])), (admit,)


def deny(
    lane: LaneSetup, state: LaneState, phase: Deciding, reason: DenyReason, now: datetime
) -> Decision:
    deny = Deny(phase.cause, reason, phase.read, show=True)
    state = state.enter(Denied(phase.read.plate), now)
    if lane.presence_loop and not state.presence:
        state, effects = finish(lane, state, now)
        return state, (deny, *effects)
    return state, (deny,)


def finish(lane: LaneSetup, state: LaneState, now: datetime) -> Decision:
    """The lane is free: serve the vehicle that was read behind the last one, if it still waits."""
    waiting = state.waiting
    state = replace(state, waiting=None).enter(Idle(), now)
    if waiting is None:
        return state, ()
    read, cause = waiting
    if now - cause.received_at > timedelta(seconds=lane.policy.presence_seconds_max):
        return state, (Settle(cause, Outcome.SUPERSEDED),)
    return begin(lane, state, cause, read, now)


def await_passage(lane: LaneSetup, state: LaneState, grant: Grant, now: datetime) -> Decision:
    gone = lane.presence_loop and not state.presence
    policy = lane.policy
    seconds = policy.backout_seconds_max if gone else policy.passage_seconds_max
    state, timer = start_timer(state, TimerName.PASSAGE, seconds)
    return state.enter(Opening(grant), now), (timer,)


def give_up(
    lane: LaneSetup, state: LaneState, grant: Grant, reason: str, now: datetime
) -> Decision:
    """The vehicle did not pass. An admission is undone; an exit may be asked for again."""
    undo: tuple[Effect, ...] = (Notice("exit_not_passed", None, reason),)
    if grant.zone is not None:
        undo = (CancelAdmission(grant.stay, grant.zone, reason, grant.correlation),)
    state, effects = finish(lane, state.forget(grant.plate), now)
    return state, (StopTimer(TimerName.PASSAGE), *undo, *effects)


def complete(
    lane: LaneSetup, state: LaneState, grant: Grant, known: PassageKnown, now: datetime
) -> Decision:
    state, effects = finish(lane, state, now)
    done = CompletePassage(grant.stay, known, grant.correlation)
    return state, (StopTimer(TimerName.PASSAGE), done, *effects)


def lose_command(
    lane: LaneSetup, state: LaneState, grant: Grant, status: CommandStatus, now: datetime
) -> Decision:
    """The open command will not act any more, or nobody knows whether it did."""
    dead = replace(grant, command=None)
    if isinstance(state.phase, Passing):
        return replace(state, phase=Passing(dead)), ()
    state = state.forget(grant.plate)
    if status is CommandStatus.UNKNOWN:
        # It may have opened: the loops will tell, or the passage timer.
        return replace(state, phase=Opening(dead)), ()
    return give_up(lane, state, grant, f"command_{status}", now)


def start_timer(state: LaneState, name: TimerName, seconds: float) -> tuple[LaneState, StartTimer]:
    """A timer with a token of its own; an earlier one that fires late is then not mistaken."""
    token = state.timer_token + 1
    return replace(state, timer_token=token), StartTimer(name, token, seconds)
