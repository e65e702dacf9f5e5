"""The verdict about one vehicle: its rights, a spot, the stay it belongs to, what is due first.

Refusals and grants lead back into `gated.core.serving`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from gated.core.access import (
    entitlement,
    judge_age,
    judge_entry,
    judge_exit,
    judge_full,
    judge_transfer,
)
from gated.core.crossing import is_through
from gated.core.effects import Admit, AskPayment, Move, Notice, Release, TakeOpenStays
from gated.core.events import ChangeTold, TimerName
from gated.core.ids import ZoneId
from gated.core.lane import LaneState
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
from gated.core.phases import AwaitingPayment, Deciding, Denied
from gated.core.reasons import DenyReason, GrantReason
from gated.core.rest import Decision, Turn, shut_by, start_timer, stopped
from gated.core.routing import zones_in_order
from gated.core.serving import (
    await_return,
    drop,
    gather,
    gather_again,
    go_unpaid,
    is_gone,
    is_replaced,
    look_again,
    may_stand_there,
    refuse,
    stand_refused,
)
from gated.core.site import Direction, FullTransfer, LaneSetup, UnpaidExit
from gated.core.snapshot import Matched, OpenStay, PlateSnapshot, StayInside


def judge(
    lane: LaneSetup, state: LaneState, phase: Deciding, snapshot: PlateSnapshot, now: datetime
) -> Decision:
    """The facts are there: refuse, or ask for the transaction that grants."""
    if is_through(state, phase):
        return drop(lane, state, phase, now)
    phase = replace(phase, snapshot=snapshot)
    if reason := shut_by(lane, state):
        return refuse(lane, state, phase, reason, now)
    if is_gone(lane, state, phase, now):
        return stand_refused(lane, state, phase, now)
    match lane.direction:
        case Direction.ENTRY:
            return _judge_coming(lane, state, phase, snapshot, now)
        case Direction.TRANSFER:
            return _judge_inside(lane, state, phase, judge_transfer(lane.policy, snapshot), now)
        case Direction.EXIT:
            return _judge_inside(lane, state, phase, judge_exit(snapshot), now)
        case _:
            assert_never(lane.direction)


def _judge_coming(
    lane: LaneSetup, state: LaneState, phase: Deciding, snapshot: PlateSnapshot, now: datetime
) -> Decision:
    verdict = judge_entry(lane.policy, snapshot, lane.opening)
    if isinstance(verdict, DenyReason):
        return refuse(lane, state, phase, verdict, now)
    holding = snapshot.open_stay or snapshot.reservation
    held = holding.zone if holding is not None else None
    zones = zones_in_order(lane.zones, snapshot.available, held)
    return try_zones(lane, state, phase, zones, now)


def _judge_inside(
    lane: LaneSetup,
    state: LaneState,
    phase: Deciding,
    verdict: GrantReason | DenyReason,
    now: datetime,
) -> Decision:
    """A vehicle that should have a stay: it leaves, or goes on to another zone."""
    snapshot = phase.snapshot
    assert snapshot is not None
    unmatched = verdict is DenyReason.NO_ENTRY_FOUND and phase.matched is None
    # Where the arm stands open nobody waits for an operator to choose.
    may_match = unmatched and (state.serves or lane.policy.match_distance_max > 0)
    if may_match and may_stand_there(lane, state):
        # Perhaps it was misread: which vehicles are here at all?
        return replace(state, phase=phase), (TakeOpenStays(phase.cause),)
    if isinstance(verdict, DenyReason):
        return refuse(lane, state, phase, verdict, now)
    stay = snapshot.open_stay
    assert stay is not None
    if lane.direction is Direction.TRANSFER:
        held = stay.zone if stay.zone in lane.zones else None
        zones = zones_in_order(lane.zones, snapshot.available, held)
        return try_zones(lane, state, phase, zones, now)
    return _let_out(lane, state, phase, stay, verdict, now)


def _let_out(
    lane: LaneSetup,
    state: LaneState,
    phase: Deciding,
    stay: OpenStay,
    verdict: GrantReason,
    now: datetime,
) -> Decision:
    """The stay ends here, once it is paid where the lane waits for that."""
    if phase.asked is not None and _may_be_gone(lane, state, phase.asked):
        return keep_waiting(lane, state, phase.asked, now)
    if not may_stand_there(lane, state) and phase.earlier is None:
        return await_return(lane, state, phase, now)
    until, due = _valid_until(lane, state), phase.snapshot.due if phase.snapshot else None
    if now > until:
        return refuse(lane, state, phase, DenyReason.READ_TOO_OLD, now)
    waits = lane.policy.unpaid_exit is UnpaidExit.WAIT and not stay.released
    if waits and due is not None and due.amount > 0:
        return ask_payment(lane, state, phase, due, now)
    # Who paid here leaves now, and not when it was read.
    at = now if phase.asked is not None else None
    assert phase.read is not None
    release = Release(phase.cause, phase.read, stay, verdict, until, at, phase.matched, phase.facts)
    return replace(state, phase=phase), (release,)


def try_zones(
    lane: LaneSetup, state: LaneState, phase: Deciding, zones: tuple[ZoneId, ...], now: datetime
) -> Decision:
    """Ask the first of these zones for a spot; without any, the car park has none for it."""
    if is_through(state, phase):
        return drop(lane, state, phase, now)
    if reason := shut_by(lane, state):
        # Since the zone before was asked.
        return refuse(lane, state, phase, reason, now)
    if is_gone(lane, state, phase, now):
        return stand_refused(lane, state, phase, now)
    transfer = lane.direction is Direction.TRANSFER
    anyway = transfer and not zones and lane.policy.full_transfer is FullTransfer.OPEN
    if not zones and not anyway:
        available = phase.snapshot.available if phase.snapshot else None
        refusals = [one.refusal for one in phase.refusals]
        reason = judge_full(lane.zones, refusals, available)
        return refuse(lane, state, phase, reason, now)
    if not may_stand_there(lane, state) and phase.earlier is None:
        return await_return(lane, state, phase, now)
    until = _valid_until(lane, state)
    if now > until:
        return refuse(lane, state, phase, DenyReason.READ_TOO_OLD, now)
    if transfer:
        asking: Admit | Move = _move(
            phase, zones[0] if zones else lane.zones[0], until, anyway=anyway
        )
    else:
        asking = _admit(lane, phase, zones[0], until)
    return replace(state, phase=replace(phase, zones_left=zones[1:])), (asking,)


def _move(phase: Deciding, zone: ZoneId, until: datetime, *, anyway: bool) -> Move:
    read, stay = phase.read, phase.snapshot.open_stay if phase.snapshot else None
    assert read is not None
    assert stay is not None
    why = GrantReason.STAY_OPEN
    return Move(phase.cause, read, stay, zone, why, until, anyway, phase.matched, phase.facts)


def _admit(lane: LaneSetup, phase: Deciding, zone: ZoneId, until: datetime) -> Admit:
    snapshot = phase.snapshot
    assert snapshot is not None
    granted = judge_entry(lane.policy, snapshot)
    assert not isinstance(granted, DenyReason)
    on_ticket = phase.read is None
    return Admit(
        phase.cause,
        phase.read,
        zone,
        GrantReason.TICKET if on_ticket else granted,
        snapshot.vehicle,
        snapshot.user,
        entitlement(snapshot),
        until,
        phase.earlier.stay if on_ticket and phase.earlier is not None else None,
        phase.facts,
    )


# ── a plate that nobody came in with ────────────────────────────────────────────────────────


def match_stay(
    lane: LaneSetup,
    state: LaneState,
    phase: Deciding,
    stays: tuple[StayInside, ...],
    now: datetime,
) -> Decision:
    """Take the read for another plate's, where that is sure enough; else tell the operator."""
    # Who asks for a ticket is looked up by nothing.
    distance_max = lane.policy.match_distance_max
    found = NoMatch() if phase.read is None else match(phase.read, stays, distance_max)
    match found:
        case Exact(stay):
            # It came in, or was matched by hand, since the look: the facts are other ones now.
            matched = Matched(stay.plate, MatchReason.EXACT, 0)
        case Likely(near):
            matched = Matched(near.stay.plate, near.reason, near.distance, misread(near))
        case Ambiguous(best):
            state, effects = refuse(lane, state, phase, DenyReason.NO_ENTRY_FOUND, now, best)
            told = ", ".join(f"{near.stay.plate} ({near.reason})" for near in best)
            shown = ", ".join(f"{near.stay.plate.masked} ({near.reason})" for near in best)
            return state, (Notice("match_needed", phase.cause, told, shown), *effects)
        case NoMatch():
            return refuse(lane, state, phase, DenyReason.NO_ENTRY_FOUND, now)
        case _:
            assert_never(found)
    anew = replace(phase, snapshot=None, matched=matched)
    return gather_again(lane, state, anew, DenyReason.NO_ENTRY_FOUND, now)


# ── what is due first ───────────────────────────────────────────────────────────────────────


def ask_payment(
    lane: LaneSetup, state: LaneState, phase: Deciding, due: Money, now: datetime
) -> Decision:
    """The stay is not paid: tell the driver, once for each amount, and wait while it is there."""
    asked, snapshot = phase.asked, phase.snapshot
    if not state.serves_out:
        return refuse(lane, state, phase, DenyReason.PAYMENT_DUE, now)
    if asked is not None and not lane.presence_loop and _seconds_left(lane, asked, now) <= 0:
        return go_unpaid(lane, state, asked, now)
    assert snapshot is not None
    assert snapshot.open_stay is not None
    assert phase.read is not None
    if phase.paid:
        return gather(state, replace(phase, snapshot=None, paid=False))
    waiting = AwaitingPayment(phase.read, phase.cause, due, now, phase.matched, state.stood)
    if asked is not None:
        waiting = replace(asked, cause=phase.cause, due=due, matching=None)
    told = asked is not None and asked.due == due
    rest = snapshot.price is not None and due.amount < snapshot.price.amount
    ask = () if told else (AskPayment(phase.cause, phase.read, snapshot.open_stay, due, rest),)
    state, effects = wait_for_payment(lane, state, waiting, now)
    return state, (*effects, *ask)


def wait_for_payment(
    lane: LaneSetup, state: LaneState, phase: AwaitingPayment, now: datetime
) -> Decision:
    """Look again after a while; who left the presence loop has the time of a back-out for it."""
    policy, waited = lane.policy, now - phase.since
    seconds = policy.payment_look_seconds
    if not may_stand_there(lane, state):
        seconds = policy.backout_seconds_max
    elif not lane.presence_loop and waited >= timedelta(seconds=policy.payment_seconds_max):
        # Nothing proves that it is there still, but that somebody pays for it.
        seconds = max(seconds, _seconds_left(lane, phase, now))
    state, timer = start_timer(state, TimerName.PAYMENT, seconds)
    return state.enter(phase, now), (timer,)


def keep_waiting(
    lane: LaneSetup, state: LaneState, phase: AwaitingPayment, now: datetime
) -> Decision:
    """The question stays open, unless another vehicle has taken the place of the one asked."""
    gone = phase.recalled and not may_stand_there(lane, state)
    if gone or not state.serves_out or is_replaced(lane, state, phase):
        return go_unpaid(lane, state, phase, now)
    return wait_for_payment(lane, state, phase, now)


def look_for_payment(state: LaneState, phase: AwaitingPayment, now: datetime) -> Decision:
    """Ask the database whether it was paid, covered by a right or made cheaper."""
    # What the driver took to pay is no latency of ours.
    heard = max(phase.cause.received_monotonic, state.heard_monotonic)
    cause = replace(phase.cause, received_monotonic=heard)
    deciding = Deciding(phase.read, cause, asked=phase, matched=phase.matched)
    state, effects = gather(state.enter(deciding, now), deciding)
    return state, (*stopped(phase), *effects)


def paid_meanwhile(turn: Turn) -> Decision:
    """Somebody paid while the facts were gathered, or the transaction was under way."""
    phase = turn.state.phase
    assert isinstance(phase, Deciding)
    return replace(turn.state, phase=replace(phase, paid=True)), ()


def changed_while_denied(turn: Turn) -> Decision:
    """What the vehicle was refused for may have ended."""
    phase, event = turn.state.phase, turn.event
    assert isinstance(phase, Denied)
    assert isinstance(event, ChangeTold)
    return look_again(turn.lane, turn.state, phase, event, turn.now)


def changed_meanwhile(turn: Turn) -> Decision:
    """The facts that this decision rests on may be older than what has changed."""
    phase, event = turn.state.phase, turn.event
    assert isinstance(phase, Deciding)
    assert isinstance(event, ChangeTold)
    return replace(turn.state, phase=replace(phase, change=event)), ()


def returned_unpaid(turn: Turn) -> Decision:
    """Whoever was asked to pay is back on the presence loop, and may have paid; or another one
    is there."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    assert turn.cause is not None
    fresh = judge_age(turn.lane.policy, turn.cause) is None
    if not turn.changed and phase.recalled and fresh:
        # It says so again, now: it is there still.
        return replace(turn.state, phase=replace(phase, recalled=False)), ()
    if not turn.changed or not fresh:
        return turn.stay()
    if is_replaced(turn.lane, turn.state, phase):
        return go_unpaid(turn.lane, turn.state, phase, turn.now)
    if phase.matching is not None:
        return wait_for_payment(turn.lane, turn.state, phase, turn.now)
    return look_for_payment(turn.state, phase, turn.now)


def _may_be_gone(lane: LaneSetup, state: LaneState, asked: AwaitingPayment) -> bool:
    return not may_stand_there(lane, state) or is_replaced(lane, state, asked)


def _seconds_left(lane: LaneSetup, asked: AwaitingPayment, now: datetime) -> float:
    """How long a payment still opens where no presence loop tells that it is there."""
    policy = lane.policy
    longest = max(policy.payment_seconds_max, policy.loop_seconds_max)
    return longest - (now - asked.since).total_seconds()


def _valid_until(lane: LaneSetup, state: LaneState) -> datetime:
    """How long what began this decision is evidence that the vehicle stands there."""
    return state.since + timedelta(seconds=lane.policy.event_age_seconds_max)
