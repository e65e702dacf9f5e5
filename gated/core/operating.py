"""What operators ask of a lane, and what an evacuation makes of it.

Whether somebody may ask is the database's to say, in the transaction that records the act: a
request first becomes the effect `Operate`, and only its answer `Operated` changes the lane.
"""

from dataclasses import replace
from typing import assert_never

from gated.core.crossing import known_as, opened_for
from gated.core.effects import (
    Deny,
    Do,
    Effect,
    Evacuate,
    Fault,
    Notice,
    Operate,
    Outcome,
    RefuseOperation,
    SendCommand,
    Settle,
)
from gated.core.events import (
    EvacuationChanged,
    InputChanged,
    Operated,
    OperateOutcome,
    OperatorDo,
    PlateRead,
    Request,
    Requested,
    TimerName,
)
from gated.core.gathering import superseded
from gated.core.lane import LaneState
from gated.core.matching import MatchReason, Near
from gated.core.phases import (
    Approached,
    AwaitingPayment,
    Closed,
    Closing,
    Deciding,
    Denied,
    Gathering,
    Held,
    Idle,
    LetThrough,
    Occupied,
    Open,
    Opening,
    OutOfService,
    Passing,
)
from gated.core.reasons import DenyReason
from gated.core.rest import (
    Decision,
    Turn,
    open_held,
    resting,
    start_timer,
    stopped,
    with_fault,
)
from gated.core.serving import finish, gather, let_through, may_stand_there
from gated.core.site import Direction
from gated.core.snapshot import LaneMode, Matched


def requested(turn: Turn) -> Decision:
    """An operator asks: check, record and do it in one transaction, or say why not now."""
    event, state = turn.event, turn.state
    assert isinstance(event, Requested)
    cause, request = event.cause, event.request
    do: Do | None = None
    read: PlateRead | None = None
    near: tuple[Near, ...] = ()
    match request.do:
        case OperatorDo.OPEN:
            do = Do.OPEN
            if turn.lane.direction is not Direction.ENTRY:
                read = _misread(turn)
        case OperatorDo.HOLD:
            do = Do.HOLD
        case OperatorDo.RELEASE if state.mode is LaneMode.HELD:
            do = _release(turn)
        case OperatorDo.LANE_CLOSE | OperatorDo.LANE_OPEN:
            do = _release(turn)
        case OperatorDo.MATCH if not request.names_stay:
            # Nothing is matched by it: whoever may match is told whose it may be.
            near = _near(turn)
        case OperatorDo.MATCH if _waits_for_match(turn):
            read = _misread(turn)
            if isinstance(state.phase, AwaitingPayment):
                state = replace(state, phase=replace(state.phase, matching=cause.event))
        case (
            OperatorDo.RELEASE
            | OperatorDo.MATCH
            | OperatorDo.EVACUATE
            | OperatorDo.RESUME
            | OperatorDo.WAIVE
            | OperatorDo.PAY
        ):
            return state, (RefuseOperation(cause, request),)
        case _:
            assert_never(request.do)
    return state, (Operate(cause, request, do, read, near),)


def _release(turn: Turn) -> Do | None:
    """What ends that the arm stays up. A barrier that was put in the place of one which could stay
    up needs no telling."""
    held = turn.state.mode is LaneMode.HELD
    return Do.RELEASE if held and turn.lane.holds else None


def operated(turn: Turn) -> Decision:
    """The act is committed, or refused: then nothing changes."""
    event, state = turn.event, turn.state
    assert isinstance(event, Operated)
    if event.outcome is not OperateOutcome.DONE:
        return _not_matched(state, event), ()
    if event.command is not None:
        state = state.with_sent(event.command)
    turn = replace(turn, state=state)
    match event.request.do:
        case OperatorDo.OPEN:
            known = event.plate if event.request.names_stay else None
            request = replace(event.request, account=event.user, plate=known)
            return _opened_by_hand(turn, request)
        case OperatorDo.HOLD:
            return _in_service(turn, LaneMode.HELD)
        case OperatorDo.LANE_CLOSE:
            return _in_service(turn, LaneMode.CLOSED)
        case OperatorDo.RELEASE | OperatorDo.LANE_OPEN:
            state, cleared = with_fault(state, Fault.ARM_STUCK, turn.now, on=False)
            state, effects = _in_service(replace(turn, state=state), LaneMode.IN_SERVICE)
            return state, (*cleared, *effects)
        case OperatorDo.MATCH:
            return _matched(turn, event)
        case OperatorDo.EVACUATE | OperatorDo.RESUME | OperatorDo.WAIVE | OperatorDo.PAY:
            return state, ()
        case _:
            assert_never(event.request.do)


def fire(turn: Turn) -> Decision:
    """The fire input overrides everything, everywhere in the facility; its end ends nothing."""
    event, cause = turn.reported, turn.cause
    assert isinstance(event, InputChanged)
    assert cause is not None
    if not event.on or turn.state.evacuating:
        return turn.stay()
    return turn.state, (Evacuate(cause),)


def evacuation_changed(turn: Turn) -> Decision:
    """Exits stay open and entries are shut while the facility is evacuated. What cannot be told to
    stay up is opened for each vehicle, as the lane comes to rest and from then on."""
    event, state, lane = turn.event, turn.state, turn.lane
    assert isinstance(event, EvacuationChanged)
    if state.evacuating is event.on:
        return turn.stay()
    state = replace(state, evacuating=event.on)
    do = _arm_in_evacuation(lane.direction, state, on=event.on)
    told: tuple[Effect, ...] = ()
    if do is not None and lane.holds:
        told = (SendCommand(event.cause.event, do, "evacuation"),)
    elif do is Do.HOLD and event.on:
        # It opens for each vehicle that is seen, and for nobody else: somebody should look.
        told = (Notice("hold_not_supported", event.cause),)
    state, effects = _to_rest(replace(turn, state=state))
    return state, (*told, *effects)


def _arm_in_evacuation(direction: Direction, state: LaneState, *, on: bool) -> Do | None:
    """An entry that was held open is shut, every other lane opened; afterwards as they had it."""
    held = state.mode is LaneMode.HELD
    if direction is not Direction.ENTRY:
        if held:
            return None
        return Do.HOLD if on else Do.RELEASE
    if held:
        return Do.RELEASE if on else Do.HOLD
    return None


def _in_service(turn: Turn, mode: LaneMode) -> Decision:
    return _to_rest(replace(turn, state=replace(turn.state, mode=mode)))


def _to_rest(turn: Turn) -> Decision:
    """Who is being served is served to the end; a lane that waits is at once what it is now."""
    lane, state, now, phase = turn.lane, turn.state, turn.now, turn.state.phase
    match phase:
        case Idle() | Occupied() | Held() | Closed() | OutOfService():
            if isinstance(phase, Held) and phase.read is not None:
                # Whoever was noted and stands there still is to be decided on by its next read.
                state = state.forget(phase.read.plate)
            state, effects = resting(lane, state, now)
            return state, (*stopped(phase), *effects)
        case AwaitingPayment() if state.serves_out:
            return state, ()
        case Approached() | Gathering() | AwaitingPayment() | Denied() | Closing() if (
            not state.serves
        ):
            return _interrupted(turn, phase)
        case _:
            return state, ()


def _interrupted(
    turn: Turn, phase: Approached | Gathering | AwaitingPayment | Denied | Closing
) -> Decision:
    settled: tuple[Effect, ...] = ()
    read: PlateRead | None = None
    match phase:
        case Approached():
            read, settled = phase.read, (Settle(phase.cause, Outcome.SUPERSEDED),)
        case Gathering(sightings):
            read, settled = sightings[-1].read, superseded(sightings)
        case AwaitingPayment():
            read = known_as(phase.read, phase.matched)
            settled = (Deny(phase.cause, DenyReason.PAYMENT_DUE, phase.read, show=False),)
        case Denied():
            read = phase.read
        case Closing():
            pass
        case _:
            assert_never(phase)
    state, effects = finish(turn.lane, turn.state, turn.now)
    if isinstance(state.phase, Held) and read is not None:
        # Whoever stands there drives out, and is known.
        state = replace(state, phase=Held(read))
        if not turn.lane.presence_loop and turn.cause is not None:
            effects = (*effects, *open_held(turn.lane, state, turn.cause.event))
    return state, (*stopped(phase), *settled, *effects)


def _opened_by_hand(turn: Turn, request: Request) -> Decision:
    lane, state, now, phase = turn.lane, turn.state, turn.now, turn.state.phase
    match phase:
        case Idle() | Occupied() | Closed() | OutOfService() | Closing():
            return let_through(lane, state, request, None, now)
        case Denied(read):
            return let_through(lane, state, request, read, now, unread=read is None)
        case Approached(read, cause):
            state, effects = let_through(lane, state, request, read, now)
            return state, (Settle(cause, Outcome.SUPERSEDED), *effects)
        case Gathering(sightings):
            state, effects = let_through(lane, state, request, sightings[-1].read, now)
            return state, (*superseded(sightings), *effects)
        case AwaitingPayment(read, cause, matched=matched):
            denial = Deny(cause, DenyReason.PAYMENT_DUE, read, show=False)
            there = may_stand_there(lane, state)
            known = known_as(read, matched) if there else None
            state = state.forget(read.plate)
            state, effects = let_through(lane, state, request, known, now)
            return state, (denial, *effects)
        case Deciding():
            # Should the decision be a refusal, it is let through all the same.
            return replace(state, courtesy=request), ()
        case Passing():
            # It is under the arm already: opened for the one behind it, if somebody is there.
            return replace(state, courtesy=request), ()
        case LetThrough():
            return _opened_again(turn, phase, request)
        case Opening() | Open() | Held():
            return state, ()
        case _:
            assert_never(phase)


def _opened_again(turn: Turn, phase: LetThrough, request: Request) -> Decision:
    """Once more for the same one, which has its time anew; if it has left, for whoever comes."""
    state, timer = start_timer(turn.state, TimerName.PASSAGE, turn.lane.policy.passage_seconds_max)
    if state.crossing is not None:
        # It is under the arm already, by the first one.
        return state, (timer,)
    gone = phase.left_at is not None
    read = opened_for(request, None if gone else phase.read)
    phase = LetThrough(request, read, unread=phase.unread and not gone and read is None)
    return state.enter(phase, turn.now), (timer,)


def _waits_for_match(turn: Turn) -> bool:
    """Whether a vehicle that is inside stands there, and nobody knows whose stay it has."""
    waits = isinstance(turn.state.phase, Denied | AwaitingPayment)
    return turn.lane.direction is not Direction.ENTRY and waits


def _misread(turn: Turn) -> PlateRead | None:
    """What was read of it, if anything was."""
    phase = turn.state.phase
    return phase.read if isinstance(phase, Denied | AwaitingPayment) else None


def _near(turn: Turn) -> tuple[Near, ...]:
    """The stays that the vehicle which stands there may have."""
    phase = turn.state.phase
    return phase.near if isinstance(phase, Denied) else ()


def _matched(turn: Turn, event: Operated) -> Decision:
    """The operator says whose plate was misread: decide on that one's stay."""
    phase, state, cause = turn.state.phase, turn.state, event.cause
    told: tuple[Effect, ...] = ()
    if isinstance(phase, AwaitingPayment) and phase.matching == cause.event:
        told = (Deny(phase.cause, DenyReason.PAYMENT_DUE, phase.read, show=False),)
    if event.plate is None or not (isinstance(phase, Denied) or told):
        # It has gone meanwhile, or nobody ever read it, not at the entry either. What the operator
        # said stands on the stay.
        return state, (Settle(cause, Outcome.SUPERSEDED),)
    matched = Matched(event.plate, MatchReason.OPERATOR, 0, event.request.reason)
    # Whom no camera could read the operator has read.
    read = _misread(turn) or PlateRead(event.plate, "")
    deciding = Deciding(read, cause, matched=matched)
    state, effects = gather(state.enter(deciding, turn.now), deciding)
    return state, (*stopped(phase), *told, *effects)


def _not_matched(state: LaneState, event: Operated) -> LaneState:
    """Whoever waits to pay is looked after as before."""
    phase = state.phase
    if not isinstance(phase, AwaitingPayment) or phase.matching != event.cause.event:
        return state
    return replace(state, phase=replace(phase, matching=None))
