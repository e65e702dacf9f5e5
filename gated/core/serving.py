"""Serving one vehicle: from its read over the verdict and the open arm to its passage.

Each function is one step: it takes the lane as it is set up and its state, and returns the
next state with the effects to perform. `gated.core.decide` chooses the step for an event.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from gated.core.access import entitlement, judge_entry, judge_exit
from gated.core.effects import (
    Admit,
    AskPayment,
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
    TakeOpenStays,
    TakeSnapshot,
)
from gated.core.events import Cause, CommandStatus, PlateRead, TimerName, ZoneRefusal
from gated.core.ids import ZoneId
from gated.core.lane import (
    Approached,
    AwaitingPayment,
    Deciding,
    Denied,
    Grant,
    Idle,
    LaneState,
    Opening,
    Passing,
)
from gated.core.matching import (
    Ambiguous,
    Exact,
    Likely,
    MatchReason,
    NoMatch,
    match,
    misread,
)
from gated.core.money import Money
from gated.core.routing import zones_in_order
from gated.core.site import Direction, LaneSetup, UnpaidExit
from gated.core.snapshot import Matched, PlateSnapshot, StayInside

Decision = tuple[LaneState, tuple[Effect, ...]]


def may_stand_there(lane: LaneSetup, state: LaneState) -> bool:
    """Whether a vehicle may stand at the barrier: the loop says so, or there is no loop to ask."""
    return state.presence or not lane.presence_loop


# ── from the read to the verdict ────────────────────────────────────────────────────────────


def begin(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    """Start serving a vehicle: gather, or wait until it stands on the presence loop."""
    if not may_stand_there(lane, state):
        state, timer = start_timer(state, TimerName.PRESENCE, lane.policy.presence_seconds_max)
        return state.enter(Approached(read, cause), now), (timer,)
    return _gather(state, Deciding(read, cause), now)


def begin_again(
    state: LaneState, grant: Grant, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    """Decide anew about a vehicle that was granted passage and whose open command is dead."""
    state, effects = _gather(state, Deciding(read, cause, earlier=grant), now)
    return state, (StopTimer(TimerName.PASSAGE), *effects)


def _gather(state: LaneState, phase: Deciding, now: datetime) -> Decision:
    # A driver waits from the message that completes the picture, be it the read or the loop.
    heard = max(phase.cause.received_monotonic, state.heard_monotonic)
    phase = replace(phase, cause=replace(phase.cause, received_monotonic=heard))
    return gather(state.remember(phase.read, now).enter(phase, now), phase)


def gather(state: LaneState, phase: Deciding) -> Decision:
    """Ask for the facts, in the time that this decision has."""
    return replace(state, phase=phase), (TakeSnapshot(phase.cause, phase.plate),)


def judge(
    lane: LaneSetup, state: LaneState, phase: Deciding, snapshot: PlateSnapshot, now: datetime
) -> Decision:
    """The facts are there: refuse, or ask for the transaction that grants."""
    phase = replace(phase, snapshot=snapshot)
    if lane.direction is Direction.ENTRY:
        verdict = judge_entry(lane.policy, snapshot)
        if isinstance(verdict, DenyReason):
            return refuse(lane, state, phase, verdict, now)
        holding = snapshot.open_stay or snapshot.reservation
        held = holding.zone if holding is not None else None
        zones = zones_in_order(lane.zones, snapshot.available, held)
        return try_zones(lane, state, phase, zones, now)
    verdict = judge_exit(snapshot)
    may_match = lane.policy.match_distance_max > 0 and phase.matched is None
    if verdict is DenyReason.NO_ENTRY_FOUND and may_match:
        # Perhaps it was misread: which vehicles are here at all?
        return replace(state, phase=phase), (TakeOpenStays(phase.cause),)
    if isinstance(verdict, DenyReason):
        return refuse(lane, state, phase, verdict, now)
    if now > _valid_until(lane, state):
        return refuse(lane, state, phase, DenyReason.READ_TOO_OLD, now)
    stay, due = snapshot.open_stay, snapshot.due
    assert stay is not None
    waits = lane.policy.unpaid_exit is UnpaidExit.WAIT and not stay.released
    if waits and due is not None and due.amount > 0:
        return ask_payment(lane, state, phase, due, now)
    # Who paid here leaves now, and not when it was read.
    at = now if phase.asked is not None else None
    until = _valid_until(lane, state)
    release = Release(phase.cause, phase.read, stay, verdict, until, at, phase.matched)
    return replace(state, phase=phase), (release,)


def try_zones(
    lane: LaneSetup, state: LaneState, phase: Deciding, zones: tuple[ZoneId, ...], now: datetime
) -> Decision:
    """Ask the first of these zones for a spot; without any, the car park has none for it."""
    if not zones:
        too_large = set(phase.refusals) == {ZoneRefusal.TOO_SMALL}
        reason = DenyReason.VEHICLE_TOO_LARGE if too_large else DenyReason.FULL
        return refuse(lane, state, phase, reason, now)
    until = _valid_until(lane, state)
    if now > until:
        return refuse(lane, state, phase, DenyReason.READ_TOO_OLD, now)
    snapshot = phase.snapshot
    assert snapshot is not None
    granted = judge_entry(lane.policy, snapshot)
    assert not isinstance(granted, DenyReason)
    admit = Admit(
        phase.cause,
        phase.read,
        zones[0],
        granted,
        snapshot.vehicle,
        snapshot.user,
        entitlement(snapshot),
        until,
    )
    return replace(state, phase=replace(phase, zones_left=zones[1:])), (admit,)


# ── a plate that nobody came in with ────────────────────────────────────────────────────────


def match_stay(
    lane: LaneSetup,
    state: LaneState,
    phase: Deciding,
    stays: tuple[StayInside, ...],
    now: datetime,
) -> Decision:
    """Take the read for another plate's, where that is sure enough; else tell the operator."""
    found = match(phase.read, stays, lane.policy.match_distance_max)
    match found:
        case Exact(stay):
            # It came in, or was matched by hand, since the look: the facts are other ones now.
            matched = Matched(stay.plate, MatchReason.EXACT, 0)
        case Likely(near):
            matched = Matched(near.stay.plate, near.reason, near.distance, misread(near))
        case Ambiguous(best):
            state, effects = refuse(lane, state, phase, DenyReason.NO_ENTRY_FOUND, now)
            told = ", ".join(f"{near.stay.plate} ({near.reason})" for near in best)
            return state, (Notice("match_needed", phase.cause, told), *effects)
        case NoMatch():
            return refuse(lane, state, phase, DenyReason.NO_ENTRY_FOUND, now)
        case _:
            assert_never(found)
    return gather(state, replace(phase, snapshot=None, matched=matched))


# ── what is due first ───────────────────────────────────────────────────────────────────────


def ask_payment(
    lane: LaneSetup, state: LaneState, phase: Deciding, due: Money, now: datetime
) -> Decision:
    """The stay is not paid: tell the driver, once for each amount, and wait while it is there."""
    asked, snapshot = phase.asked, phase.snapshot
    since = asked.since if asked is not None else now
    if not _may_wait(lane, state, since, now):
        return refuse(lane, state, phase, DenyReason.PAYMENT_DUE, now)
    assert snapshot is not None
    assert snapshot.open_stay is not None
    waiting = AwaitingPayment(phase.read, phase.cause, due, since, phase.matched)
    told = asked is not None and asked.due == due
    ask = () if told else (AskPayment(phase.cause, phase.read, snapshot.open_stay, due),)
    state, effects = wait_for_payment(lane, state, waiting, now)
    return state, (*effects, *ask)


def wait_for_payment(
    lane: LaneSetup, state: LaneState, phase: AwaitingPayment, now: datetime
) -> Decision:
    """Look again after a while."""
    state, timer = start_timer(state, TimerName.PAYMENT, lane.policy.payment_look_seconds)
    return state.enter(phase, now), (timer,)


def look_for_payment(state: LaneState, phase: AwaitingPayment, now: datetime) -> Decision:
    """Ask the database whether it was paid, covered by a right or made cheaper."""
    deciding = Deciding(phase.read, phase.cause, asked=phase, matched=phase.matched)
    state, effects = gather(state.enter(deciding, now), deciding)
    return state, (StopTimer(TimerName.PAYMENT), *effects)


def go_unpaid(lane: LaneSetup, state: LaneState, phase: AwaitingPayment, now: datetime) -> Decision:
    """The vehicle is not there any more, or another one is."""
    denial = Deny(phase.cause, DenyReason.PAYMENT_DUE, phase.read, show=False)
    state, effects = finish(lane, state.forget(phase.read.plate), now)
    return state, (StopTimer(TimerName.PAYMENT), denial, *effects)


def _may_wait(lane: LaneSetup, state: LaneState, since: datetime, now: datetime) -> bool:
    if lane.presence_loop:
        return state.presence
    return now - since <= timedelta(seconds=lane.policy.payment_seconds_max)


def _valid_until(lane: LaneSetup, state: LaneState) -> datetime:
    """How long what began this decision is evidence that the vehicle stands there."""
    return state.since + timedelta(seconds=lane.policy.event_age_seconds_max)


# ── the verdict is no ───────────────────────────────────────────────────────────────────────


def refuse(
    lane: LaneSetup, state: LaneState, phase: Deciding, reason: DenyReason, now: datetime
) -> Decision:
    """The vehicle may not pass: tell it, and look at the one behind it."""
    denial = Deny(phase.cause, reason, phase.read, show=True)
    state = state.refused(phase.read.plate, now)
    if phase.earlier is not None:
        # What was granted before stands all the same: it may have opened the arm.
        state, effects = resume(lane, state, phase, phase.earlier, now)
        return state, (denial, *effects)
    there = may_stand_there(lane, state)
    state = state.enter(Denied(phase.read.plate) if there else Idle(), now)
    # A read that came while this one was decided on may be its correction: it is heard at once,
    # as it would be if it came now.
    state, effects = _next_in_line(lane, state, now)
    return state, (denial, *effects)


def finish(lane: LaneSetup, state: LaneState, now: datetime) -> Decision:
    """The lane is free: serve the vehicle that was read behind the last one, if it still waits."""
    return _next_in_line(lane, state.enter(Idle(), now), now)


def _next_in_line(lane: LaneSetup, state: LaneState, now: datetime) -> Decision:
    if state.waiting is None:
        return state, ()
    read, cause = state.waiting
    state = replace(state, waiting=None)
    if state.has_seen(read, now, lane.policy.fold_seconds):
        return state, (Settle(cause, Outcome.FOLDED),)
    if _waited_too_long(lane, cause, now):
        return state, (Settle(cause, Outcome.SUPERSEDED),)
    return begin(lane, state, cause, read, now)


def _waited_too_long(lane: LaneSetup, cause: Cause, now: datetime) -> bool:
    waited = now - cause.received_at
    if lane.presence_loop:
        return waited > timedelta(seconds=lane.policy.presence_seconds_max)
    # Nothing but the read proves that the vehicle is there: it may not be older than any other.
    seconds = lane.policy.event_age_seconds_max - (cause.age_seconds or 0.0)
    return waited > timedelta(seconds=seconds)


# ── the verdict is yes ──────────────────────────────────────────────────────────────────────


def await_passage(lane: LaneSetup, state: LaneState, grant: Grant, now: datetime) -> Decision:
    """The open command is committed: wait for the vehicle to pass, not long if it has gone."""
    policy, there = lane.policy, may_stand_there(lane, state)
    seconds = policy.passage_seconds_max if there else policy.backout_seconds_max
    state, timer = start_timer(state, TimerName.PASSAGE, seconds)
    return state.enter(Opening(grant), now), (timer,)


def resume(
    lane: LaneSetup, state: LaneState, phase: Deciding, grant: Grant, now: datetime
) -> Decision:
    """Await the passage that `grant` allows, or go on with it if it began during the decision."""
    if not phase.crossed:
        return await_passage(lane, state, grant, now)
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
    """The vehicle has passed."""
    state, effects = finish(lane, state.passed(grant.plate, now), now)
    done = CompletePassage(grant.stay, known, grant.correlation)
    return state, (StopTimer(TimerName.PASSAGE), done, *effects)


def give_up(
    lane: LaneSetup, state: LaneState, grant: Grant, reason: str, now: datetime
) -> Decision:
    """The vehicle did not pass. An admission is undone; an exit may be asked for again."""
    state, effects = finish(lane, state.forget(grant.plate), now)
    return state, (StopTimer(TimerName.PASSAGE), undo(grant, reason), *effects)


def undo(grant: Grant, reason: str) -> Effect:
    """What takes a grant back whose vehicle did not pass."""
    if grant.zone is None:
        return Notice("exit_not_passed", None, reason)
    return CancelAdmission(grant.stay, grant.zone, reason, grant.correlation)


def lose_command(
    lane: LaneSetup, state: LaneState, grant: Grant, status: CommandStatus, now: datetime
) -> Decision:
    """The open command will not act any more, or nobody knows whether it did."""
    dead = replace(grant, command=None)
    if isinstance(state.phase, Passing):
        return replace(state, phase=Passing(dead)), ()
    if status is CommandStatus.UNKNOWN:
        # It may have opened: the loops will tell, or the passage timer.
        return replace(state.forget(grant.plate), phase=Opening(dead)), ()
    return give_up(lane, state, grant, f"command_{status}", now)


def start_timer(state: LaneState, name: TimerName, seconds: float) -> tuple[LaneState, StartTimer]:
    """A timer with a token of its own; an earlier one that fires late is then not mistaken."""
    token = state.timer_token + 1
    return replace(state, timer_token=token), StartTimer(name, token, seconds)
