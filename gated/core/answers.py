"""Which step the answer of gated's own work asks for: facts, grants, refusals, failures."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from gated.core.crossing import end_crossing_of, is_through, known_as
from gated.core.effects import Notice, Outcome, Settle
from gated.core.events import (
    Admitted,
    AlreadyInside,
    DecidedBefore,
    DecisionFailed,
    Moved,
    NoOpenStay,
    OpenStaysTaken,
    Released,
    RightGone,
    SnapshotTaken,
    ZoneRefused,
)
from gated.core.facts import Refused
from gated.core.judging import judge, keep_waiting, match_stay, try_zones
from gated.core.lane import LaneState
from gated.core.phases import Deciding, Grant, Opening
from gated.core.reasons import DenyReason
from gated.core.rest import Decision, Turn
from gated.core.serving import (
    finish,
    finish_known,
    gather_again,
    go_unpaid,
    let_through,
    lose_command,
    refuse,
    resume,
    stand_refused,
    take_back,
    undo,
    withheld,
)
from gated.core.site import LaneSetup

Answer = (
    SnapshotTaken
    | OpenStaysTaken
    | Admitted
    | ZoneRefused
    | RightGone
    | AlreadyInside
    | Released
    | Moved
    | NoOpenStay
    | DecidedBefore
    | DecisionFailed
)


def unexpected(turn: Turn) -> Decision:
    """An answer that nobody waits for any more."""
    return turn.state, (Notice("answer_unexpected", turn.cause, type(turn.event).__name__),)


def answered(turn: Turn) -> Decision:
    """What the lane waited for while deciding is there."""
    assert isinstance(turn.event, Answer)
    return _on_answer(turn.lane, turn.state, turn.event, turn.now)


def _on_answer(lane: LaneSetup, state: LaneState, answer: Answer, now: datetime) -> Decision:
    phase = state.phase
    if not isinstance(phase, Deciding) or phase.cause.event != answer.cause.event:
        return state, (Notice("answer_unexpected", answer.cause, type(answer).__name__),)
    match answer:
        case SnapshotTaken() | OpenStaysTaken():
            return _on_facts(lane, state, phase, answer, now)
        case Admitted() | Released() | Moved():
            grant = _grant(state, phase, answer)
            return _on_grant(lane, state.with_open(answer.command), phase, grant, now)
        case ZoneRefused(_, zone, refusal):
            phase = replace(phase, refusals=(*phase.refusals, Refused(zone, refusal)))
            return try_zones(lane, state, phase, phase.zones_left, now)
        case RightGone(cause, right):
            # What is true now decides: perhaps another right, perhaps the way of a stranger.
            anew = replace(phase, refusals=())
            state, effects = gather_again(lane, state, anew, DenyReason.NO_PRESENCE, now)
            return state, (Notice("right_gone", cause, right), *effects)
        case AlreadyInside() | NoOpenStay():
            inside = isinstance(answer, AlreadyInside)
            reason = DenyReason.ALREADY_INSIDE if inside else DenyReason.NO_ENTRY_FOUND
            return refuse(lane, state, phase, reason, now)
        case DecidedBefore():
            return _back(lane, state, replace(phase, asked=None), now)
        case DecisionFailed():
            return _on_failure(lane, state, phase, answer, now)
        case _:
            assert_never(answer)


def _on_facts(
    lane: LaneSetup,
    state: LaneState,
    phase: Deciding,
    facts: SnapshotTaken | OpenStaysTaken,
    now: datetime,
) -> Decision:
    match facts:
        case SnapshotTaken(_, snapshot):
            return judge(lane, state, phase, snapshot, now)
        case OpenStaysTaken(_, stays):
            return match_stay(lane, state, phase, stays, now)
        case _:
            assert_never(facts)


def _grant(state: LaneState, phase: Deciding, answer: Admitted | Released | Moved) -> Grant:
    plate, correlation = phase.plate_read, answer.cause.event
    match answer:
        case Admitted(_, stay, zone, _, command):
            grant = Grant(plate, stay, zone, command, correlation)
        case Released(_, stay, _, command):
            grant = Grant(plate, stay, None, command, correlation)
        case Moved(_, stay, zone, _, command):
            grant = Grant(plate, stay, zone, command, correlation, moved=True)
        case _:
            assert_never(answer)
    read = known_as(phase.read, phase.matched) if phase.read is not None else None
    return replace(grant, read=read, stood=state.stood)


def _on_grant(
    lane: LaneSetup, state: LaneState, phase: Deciding, grant: Grant, now: datetime
) -> Decision:
    if reason := withheld(lane, state):
        return take_back(lane, state, grant, reason, now)
    # Usually the very stay of the earlier grant, still held. If somebody ended that one
    # meanwhile, nothing but its own undoing is left to be done about it.
    earlier = phase.earlier
    orphaned = earlier is not None and earlier.stay != grant.stay
    undone = undo(earlier, "granted_anew") if earlier is not None and orphaned else ()
    state, effects = resume(lane, state, phase, grant, now)
    effects = (*undone, *effects)
    for ended in phase.ended:
        if state.phase == Opening(grant) and ended.command == grant.command:
            state, lost = lose_command(lane, state, grant, ended.status, now)
            return state, (*effects, *lost)
    return state, effects


def _on_failure(
    lane: LaneSetup, state: LaneState, phase: Deciding, failure: DecisionFailed, now: datetime
) -> Decision:
    notice = Notice("decision_failed", failure.cause, failure.error)
    if phase.asked is not None or phase.refused is not None:
        # Nobody knows whether it was paid, or may pass by now: things stay as they were.
        state, effects = _back(lane, state, phase, now)
        return state, (notice, *effects)
    state, effects = _back(lane, state.forget(phase.plate_read), phase, now)
    return state, (notice, Settle(failure.cause, Outcome.FAILED), *effects)


def _back(lane: LaneSetup, state: LaneState, phase: Deciding, now: datetime) -> Decision:
    """Nothing came of this decision."""
    if phase.earlier is not None:
        return resume(lane, state, phase, phase.earlier, now)
    if phase.refused is not None:
        return stand_refused(lane, state, phase, now)
    if is_through(state, phase):
        state, gone = end_crossing_of(state, phase)
        state, effects = (
            go_unpaid(lane, state, phase.asked, now)
            if phase.asked is not None
            else finish(lane, state, now)
        )
        return state, (*gone, *effects)
    if phase.asked is not None:
        return keep_waiting(lane, state, phase.asked, now)
    if state.courtesy is not None:
        return let_through(lane, state, state.courtesy, phase.read, now)
    return finish_known(lane, state, phase.cause, phase.read, now)
