"""Decide: one lane's state and one event give the next state and what is to be done.

No I/O, no clock, no randomness. Results of effects come back as events, so that everything
which can happen to a lane passes through here, one event at a time. What a step does is in
`gated.core.serving`; here is which step an event asks for.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from gated.core.access import judge_age, judge_confidence
from gated.core.effects import (
    Deny,
    DenyReason,
    NoteCommand,
    Notice,
    Outcome,
    PassageKnown,
    Settle,
    StopTimer,
)
from gated.core.events import (
    Admitted,
    AlreadyInside,
    BarrierReported,
    BarrierState,
    Cause,
    CommandAnswered,
    CommandEnded,
    CommandStatus,
    DecidedBefore,
    DecisionFailed,
    DeviceEvent,
    DeviceOnlineChanged,
    InputChanged,
    InputName,
    LaneEvent,
    NoOpenStay,
    PlateRead,
    PlateUnread,
    Released,
    Reported,
    SnapshotTaken,
    TimerFired,
    TimerName,
    VehicleLost,
    ZoneFull,
)
from gated.core.ids import command_number
from gated.core.lane import (
    Approached,
    Deciding,
    Denied,
    Grant,
    Idle,
    LaneState,
    Opening,
    Passing,
    grant_of,
)
from gated.core.serving import (
    Decision,
    await_passage,
    begin,
    complete,
    deny,
    finish,
    give_up,
    judge,
    lose_command,
    start_timer,
    try_zones,
)
from gated.core.site import LaneSetup


def decide(lane: LaneSetup, state: LaneState, event: LaneEvent, now: datetime) -> Decision:
    """The lane's next state, and the effects to perform in this order."""
    match event:
        case Reported(cause, reported):
            state = replace(state, heard_monotonic=cause.received_monotonic)
            return _on_reported(lane, state, cause, reported, now)
        case TimerFired(name, token):
            return _on_timer(lane, state, name, token, now)
        case CommandEnded(command, status):
            grant = grant_of(state.phase)
            if grant is None or grant.command != command:
                return state, ()
            return lose_command(lane, state, grant, status, now)
        case _:
            return _on_answer(lane, state, event, now)


def _on_reported(
    lane: LaneSetup, state: LaneState, cause: Cause, event: DeviceEvent, now: datetime
) -> Decision:
    match event:
        case PlateRead():
            return _on_read(lane, state, cause, event, now)
        case PlateUnread():
            return _on_unread(lane, state, cause, now)
        case InputChanged():
            return _settled(_on_input(lane, state, cause, event, now), cause)
        case BarrierReported():
            return _settled(_on_barrier(state, cause, event), cause)
        case CommandAnswered():
            return _settled(_on_command_answered(lane, state, cause, event, now), cause)
        case VehicleLost() | DeviceOnlineChanged():
            return _settled((state, ()), cause)
        case _:
            assert_never(event)


def _on_input(
    lane: LaneSetup, state: LaneState, cause: Cause, event: InputChanged, now: datetime
) -> Decision:
    match event.name:
        case InputName.PRESENCE:
            return _on_presence(lane, state, cause, on=event.on, now=now)
        case InputName.CLOSING:
            return _on_closing(lane, state, cause, on=event.on, now=now)
        case InputName.BUTTON | InputName.FIRE:
            # Nobody listens to these yet; the operator should know that they are wired.
            return state, (Notice("input_ignored", cause, event.name),) if event.on else ()
        case _:
            assert_never(event.name)


def _settled(decision: Decision, cause: Cause) -> Decision:
    state, effects = decision
    return state, (*effects, Settle(cause, Outcome.NOTED))


def _on_read(
    lane: LaneSetup, state: LaneState, cause: Cause, read: PlateRead, now: datetime
) -> Decision:
    # Late reads are recorded and shown to nobody: whoever stood there is long gone.
    if reason := judge_age(lane.policy, cause):
        return state, (Deny(cause, reason, read, show=False),)
    if state.has_seen(read, now, lane.policy.fold_seconds):
        return state, (Settle(cause, Outcome.FOLDED),)
    if reason := judge_confidence(lane.policy, read):
        return _deny_beside(state, cause, read, reason, now)
    if isinstance(state.phase, Approached) and _same_vehicle(state.phase.read, read):
        superseded = Settle(state.phase.cause, Outcome.SUPERSEDED)
        return replace(state, phase=Approached(read, cause)), (superseded,)
    match state.phase:
        case Idle() | Denied():
            return begin(lane, state, cause, read, now)
        case Approached(cause=older):
            began, effects = begin(lane, state, cause, read, now)
            return began, (Settle(older, Outcome.SUPERSEDED), *effects)
        case Opening(grant) if grant.plate == read.plate and grant.command is None:
            # Its first open died or is of unknown fate: fresh evidence, a new decision.
            return begin(lane, state, cause, read, now)
        case Deciding() | Opening() | Passing():
            queued = replace(state, waiting=(read, cause))
            if state.waiting is None:
                return queued, ()
            return queued, (Settle(state.waiting[1], Outcome.SUPERSEDED),)
        case _:
            assert_never(state.phase)


def _same_vehicle(one: PlateRead, other: PlateRead) -> bool:
    if one.vehicle_key is not None and one.vehicle_key == other.vehicle_key:
        return True
    return one.plate == other.plate


def _deny_beside(
    state: LaneState, cause: Cause, read: PlateRead, reason: DenyReason, now: datetime
) -> Decision:
    """Refuse a read without disturbing a vehicle that is being served."""
    if isinstance(state.phase, Idle | Denied):
        state = state.enter(Denied(read.plate), now)
        return state, (Deny(cause, reason, read, show=True),)
    return state, (Deny(cause, reason, read, show=False),)


def _on_unread(lane: LaneSetup, state: LaneState, cause: Cause, now: datetime) -> Decision:
    fresh = judge_age(lane.policy, cause) is None
    if fresh and isinstance(state.phase, Idle):
        state = state.enter(Denied(None), now)
        return state, (Deny(cause, DenyReason.PLATE_UNREAD, None, show=True),)
    return state, (Deny(cause, DenyReason.PLATE_UNREAD, None, show=False),)


def _on_presence(
    lane: LaneSetup, state: LaneState, cause: Cause, *, on: bool, now: datetime
) -> Decision:
    state = replace(state, presence=on)
    # A late report sets what is known of the loop; it is no evidence that somebody is there now.
    fresh = judge_age(lane.policy, cause) is None
    match state.phase:
        case Approached(read, read_cause) if on and fresh:
            state, effects = begin(lane, state, read_cause, read, now)
            return state, (StopTimer(TimerName.PRESENCE), *effects)
        case Opening(grant) if not on and not lane.closing_loop:
            return complete(lane, state, grant, PassageKnown.ASSUMED, now)
        case Opening():
            policy = lane.policy
            seconds = policy.passage_seconds_max if on else policy.backout_seconds_max
            state, timer = start_timer(state, TimerName.PASSAGE, seconds)
            return state, (timer,)
        case Denied() if not on:
            return finish(lane, state, now)
        case _:
            return state, ()


def _on_closing(
    lane: LaneSetup, state: LaneState, cause: Cause, *, on: bool, now: datetime
) -> Decision:
    match state.phase:
        case Opening(grant) if on:
            state, timer = start_timer(state, TimerName.PASSAGE, lane.policy.passage_seconds_max)
            return state.enter(Passing(grant), now), (timer,)
        case Passing(grant) if not on:
            return complete(lane, state, grant, PassageKnown.MEASURED, now)
        case Passing() | Opening():
            return state, ()
        case _:
            notice = (Notice("passage_without_grant", cause),) if on else ()
            return state, notice


def _on_barrier(state: LaneState, cause: Cause, report: BarrierReported) -> Decision:
    grant = grant_of(state.phase)
    match report.state:
        case BarrierState.OPENED if grant is None:
            return state, (Notice("opened_without_grant", cause),)
        case BarrierState.OPENED if grant is not None and _answers(grant, report.command):
            assert grant.command is not None
            return state, (NoteCommand(grant.command, CommandStatus.CONFIRMED, None),)
        case BarrierState.FAULT:
            return state, (Notice("barrier_fault", cause),)
        case _:
            return state, ()


def _answers(grant: Grant, number: int | None) -> bool:
    if grant.command is None:
        return False
    return number is None or number == command_number(grant.command)


def _on_command_answered(
    lane: LaneSetup, state: LaneState, cause: Cause, answer: CommandAnswered, now: datetime
) -> Decision:
    grant = grant_of(state.phase)
    if grant is None or grant.command is None or not _answers(grant, answer.command):
        # A display's answer to a deny, or one that comes after the passage.
        return state, ()
    if answer.ok:
        return state, (NoteCommand(grant.command, CommandStatus.ACKNOWLEDGED, None),)
    note = NoteCommand(grant.command, CommandStatus.FAILED, answer.error)
    notice = Notice("command_refused", cause, answer.error or "")
    state, effects = lose_command(lane, state, grant, CommandStatus.FAILED, now)
    return state, (note, notice, *effects)


def _on_answer(
    lane: LaneSetup,
    state: LaneState,
    event: SnapshotTaken
    | Admitted
    | ZoneFull
    | AlreadyInside
    | Released
    | NoOpenStay
    | DecidedBefore
    | DecisionFailed,
    now: datetime,
) -> Decision:
    phase = state.phase
    if not isinstance(phase, Deciding) or phase.cause.event != event.cause.event:
        return state, (Notice("answer_unexpected", event.cause, type(event).__name__),)
    match event:
        case SnapshotTaken(_, snapshot):
            return judge(lane, state, phase, snapshot, now)
        case Admitted(cause, stay, zone, _, command):
            grant = Grant(phase.read.plate, stay, zone, command, cause.event)
            return await_passage(lane, state, grant, now)
        case Released(cause, stay, _, command):
            grant = Grant(phase.read.plate, stay, None, command, cause.event)
            return await_passage(lane, state, grant, now)
        case ZoneFull():
            return try_zones(lane, state, phase, phase.zones_left, now)
        case AlreadyInside():
            return deny(lane, state, phase, DenyReason.ALREADY_INSIDE, now)
        case NoOpenStay():
            return deny(lane, state, phase, DenyReason.NO_ENTRY_FOUND, now)
        case DecidedBefore():
            return finish(lane, state, now)
        case DecisionFailed(cause, error):
            state, effects = finish(lane, state.forget(phase.read.plate), now)
            failed = Notice("decision_failed", cause, error)
            return state, (failed, Settle(cause, Outcome.FAILED), *effects)
        case _:
            assert_never(event)


def _on_timer(
    lane: LaneSetup, state: LaneState, name: TimerName, token: int, now: datetime
) -> Decision:
    if token != state.timer_token:
        return state, ()
    match name, state.phase:
        case TimerName.PRESENCE, Approached(read, cause):
            deny = Deny(cause, DenyReason.NO_PRESENCE, read, show=False)
            state, effects = finish(lane, state, now)
            return state, (deny, *effects)
        case TimerName.PASSAGE, Opening() if lane.presence_loop and state.presence:
            state, timer = start_timer(state, TimerName.PASSAGE, lane.policy.passage_seconds_max)
            return state, (timer,)
        case TimerName.PASSAGE, Opening(grant) if lane.closing_loop:
            return give_up(lane, state, grant, "no_passage", now)
        case TimerName.PASSAGE, Opening(grant):
            return complete(lane, state, grant, PassageKnown.ASSUMED, now)
        case TimerName.PASSAGE, Passing(grant):
            state, effects = complete(lane, state, grant, PassageKnown.ASSUMED, now)
            return state, (Notice("closing_loop_stuck"), *effects)
        case _:
            return state, ()
