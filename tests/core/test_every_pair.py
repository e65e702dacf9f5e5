"""Every phase meets every kind of event, on every kind of lane: none of it is an accident."""

import itertools
from dataclasses import replace
from typing import get_args
from uuid import UUID

import pytest

from gated.core.consensus import Sighting
from gated.core.decide import decide
from gated.core.effects import (
    Admit,
    Deny,
    Effect,
    Fault,
    Move,
    Operate,
    RefuseOperation,
    Release,
    Settle,
    StartTimer,
    TakeOpenStays,
    TakeSnapshot,
)
from gated.core.events import (
    Admitted,
    AlreadyInside,
    BarrierReported,
    BarrierState,
    ChangeTold,
    CommandAnswered,
    CommandEnded,
    CommandSent,
    CommandStatus,
    DecidedBefore,
    DecisionFailed,
    DenialShown,
    DeviceEvent,
    DeviceFreshnessChanged,
    DeviceOnlineChanged,
    EvacuationChanged,
    GrantTakenOver,
    InputChanged,
    InputName,
    LaneEvent,
    Moved,
    NoOpenStay,
    OpenStaysTaken,
    Operated,
    OperateOutcome,
    OperatorDo,
    PaymentTold,
    PlateUnread,
    Released,
    Reported,
    Request,
    Requested,
    RightGone,
    SnapshotTaken,
    TimerFired,
    TimerName,
    VehicleLost,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.ids import EventId, command_number
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
    Grant,
    Held,
    Idle,
    LetThrough,
    Occupied,
    Open,
    Opening,
    OutOfService,
    Passing,
    Phase,
    Refusal,
    phase_name,
    timers_of,
)
from gated.core.reasons import DenyReason
from gated.core.site import ButtonTicket, Direction, LanePolicy, UnpaidExit
from gated.core.snapshot import LaneMode, StayInside
from gated.core.transitions import TABLE, Signal
from tests.core.support import (
    CAR,
    EUROS,
    OPEN,
    OPEN_AGAIN,
    OTHER_CAR,
    OTHER_STAY,
    START,
    STAY,
    ZONE_A,
    at,
    cause_of,
    facts,
    lane_of,
    open_stay,
    read_of,
)

HERE = cause_of(1)  # of the vehicle that the phase is about
NEXT = cause_of(2, 3)  # of what a device reports now
GRANT = Grant(CAR, STAY, ZONE_A, OPEN, HERE.event)
DEAD = Grant(CAR, STAY, ZONE_A, None, HERE.event)
TICKET = replace(GRANT, plate=None)
TOKEN = 7
YES_NO = (True, False)
NEAR = Near(StayInside(STAY, OTHER_CAR, at(-60)), MatchReason.SEVERAL, 3)
FULL = Denied(read_of(), DenyReason.FULL_ZONE, refusal=Refusal(HERE, START, HERE.event))
OTHER_LOOK = EventId(UUID(int=10))
AGAIN = replace(HERE, again=EventId(UUID(int=8)))  # of deciding once more on whom was refused
REQUEST = Request("1", "olga", OperatorDo.OPEN, "a trailer")

PHASES: list[Phase] = [
    Idle(),
    Approached(read_of(), HERE),
    Gathering((Sighting(read_of(confidence=0.6), HERE),)),
    Gathering((Sighting(read_of(confidence=0.6), HERE),), START, FULL),
    Deciding(read_of(), HERE),
    Deciding(None, HERE),
    Deciding(None, HERE, snapshot=facts(None), earlier=replace(TICKET, command=None)),
    Deciding(read_of(), HERE, snapshot=facts(stay=open_stay()), zones_left=(ZONE_A,)),
    Deciding(read_of(), HERE, snapshot=facts(), earlier=DEAD),
    Deciding(read_of(), HERE, snapshot=facts(), earlier=DEAD, crossed=cause_of(4, 1)),
    Deciding(read_of(), HERE, snapshot=facts(), crossed=cause_of(4, 1)),
    Deciding(read_of(), HERE, asked=AwaitingPayment(read_of(), HERE, EUROS, START)),
    Deciding(read_of(), AGAIN, snapshot=facts(stay=open_stay()), refused=FULL),
    Deciding(read_of(), AGAIN, snapshot=facts(), refused=FULL, crossed=cause_of(4, 1)),
    Deciding(read_of(), HERE, snapshot=facts(stay=open_stay()), change=ChangeTold(OTHER_LOOK)),
    AwaitingPayment(read_of(), HERE, EUROS, START),
    AwaitingPayment(read_of(), HERE, EUROS, START, matching=NEXT.event),
    AwaitingPayment(read_of(), HERE, EUROS, START, recalled=True),
    Opening(GRANT),
    Opening(DEAD),
    Opening(TICKET),
    Opening(replace(TICKET, command=None)),
    Passing(GRANT),
    Passing(DEAD),
    Denied(read_of(), DenyReason.NO_ENTRY_FOUND),
    Denied(read_of(), DenyReason.NO_ENTRY_FOUND, (NEAR,)),
    Denied(read_of(confidence=0.1), DenyReason.READ_UNCERTAIN),
    Denied(None, DenyReason.PLATE_UNREAD),
    FULL,
    Occupied(),
    Open(GRANT),
    Open(DEAD),
    Closing(STAY),
    LetThrough(REQUEST),
    LetThrough(REQUEST, read_of()),
    LetThrough(REQUEST, read_of(), left_at=START),
    LetThrough(REQUEST, read_of(), again=True),
    Held(),
    Held(read_of()),
    Closed(),
    Closed(FULL),
    OutOfService(),
    OutOfService(FULL),
]

BOX = lane_of().barrier
assert BOX is not None
EVENTS: list[LaneEvent] = [
    *(Reported(NEXT, read_of(plate)) for plate in (CAR, OTHER_CAR)),
    Reported(NEXT, read_of(OTHER_CAR, confidence=0.1)),
    Reported(cause_of(2, 3, age=60), read_of(OTHER_CAR)),
    Reported(NEXT, PlateUnread()),
    Reported(NEXT, VehicleLost("7")),
    *(Reported(NEXT, InputChanged(name, on)) for name in InputName for on in (True, False)),
    *(
        Reported(NEXT, BarrierReported(state, command))
        for state in BarrierState
        for command in (None, command_number(OPEN))
    ),
    *(
        Reported(NEXT, CommandAnswered(command_number(command), ok))
        for command in (OPEN, OPEN_AGAIN)
        for ok in (True, False)
    ),
    *(Reported(NEXT, DeviceOnlineChanged(online)) for online in (True, False)),
    *(SnapshotTaken(HERE, facts(stay=stay)) for stay in (None, open_stay())),
    *(SnapshotTaken(HERE, facts(stay=open_stay(), due=due)) for due in ("2.50", "1.00")),
    OpenStaysTaken(HERE, ()),
    OpenStaysTaken(HERE, (StayInside(STAY, OTHER_CAR, at(-60)),)),
    Admitted(HERE, STAY, ZONE_A, "A-5", OPEN_AGAIN),
    ZoneRefused(HERE, ZONE_A, ZoneRefusal.FULL),
    RightGone(HERE, "right_used_up"),
    AlreadyInside(HERE),
    Released(HERE, STAY, EUROS, OPEN_AGAIN),
    Moved(HERE, STAY, ZONE_A, "A-5", OPEN_AGAIN),
    NoOpenStay(HERE),
    DecidedBefore(HERE),
    DecisionFailed(HERE, "away"),
    DenialShown(HERE, OPEN_AGAIN),
    PaymentTold(),
    ChangeTold(EventId(UUID(int=9))),
    CommandSent(OPEN_AGAIN, STAY),
    *(Requested(NEXT, replace(REQUEST, do=do)) for do in OperatorDo),
    Requested(NEXT, replace(REQUEST, do=OperatorDo.MATCH, plate=OTHER_CAR)),
    *(
        Operated(NEXT, replace(REQUEST, do=do), outcome, OPEN_AGAIN, plate=CAR)
        for do in OperatorDo
        for outcome in (OperateOutcome.DONE, OperateOutcome.NOT_PERMITTED)
    ),
    *(EvacuationChanged(NEXT, on) for on in (True, False)),
    GrantTakenOver(STAY),
    GrantTakenOver(OTHER_STAY),
    *(DeviceFreshnessChanged(BOX, fresh) for fresh in (True, False)),
    *(CommandEnded(command, status) for command in (OPEN, OPEN_AGAIN) for status in CommandStatus),
    *(TimerFired(name, token) for name in TimerName for token in (TOKEN, TOKEN - 1)),
]
# With a presence loop a lane is in these only while a vehicle stands on it.
HERE_ALONE = Denied | Gathering
CALLING = (
    Denied
    | AwaitingPayment
    | Opening
    | Open
    | Passing
    | Closed
    | OutOfService
    | Deciding
    | Gathering
)
WITH_QUEUE = Deciding | AwaitingPayment | Opening | Open | Passing | LetThrough
SERVICE = {Held: LaneMode.HELD, Closed: LaneMode.CLOSED}
ANSWERS = (
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
ASKING = (TakeSnapshot, TakeOpenStays, Admit, Release, Move)
SETTLING = (Deny, Settle, Operate, RefuseOperation)


def _label(event: LaneEvent) -> str:
    return type(event.event if isinstance(event, Reported) else event).__name__


@pytest.mark.parametrize("event", EVENTS, ids=_label)
@pytest.mark.parametrize("phase", PHASES, ids=phase_name)
def test_every_pair_leads_to_a_valid_state(phase: Phase, event: LaneEvent) -> None:
    waits = isinstance(phase, WITH_QUEUE)
    for direction, presence_loop, closing_loop, presence, behind, arm_switch in itertools.product(
        Direction, YES_NO, YES_NO, YES_NO, YES_NO, YES_NO
    ):
        if presence_loop and isinstance(phase, HERE_ALONE) and not presence:
            continue  # cannot be
        if isinstance(phase, Deciding) and phase.read is None and direction is not Direction.ENTRY:
            continue  # tickets are given at entries
        if isinstance(phase, Occupied) and not presence:
            continue
        if isinstance(phase, Open | Closing | OutOfService) and not arm_switch:
            continue
        if presence and not presence_loop:
            continue
        lane = lane_of(
            direction,
            zones=() if direction is Direction.EXIT else (ZONE_A,),
            presence_loop=presence_loop,
            closing_loop=closing_loop,
            arm_switch=arm_switch,
            policy=LanePolicy(
                unpaid_exit=UnpaidExit.WAIT,
                match_distance_max=1,
                consensus_reads_min=2,
                button_ticket=ButtonTicket.ADMIT,
            ),
        )
        queued = cause_of(3, 2)
        state = LaneState(
            since=START,
            phase=phase,
            presence=presence,
            stood=HERE.event if presence else None,
            timer_token=TOKEN,
            mode=SERVICE.get(type(phase), LaneMode.IN_SERVICE),
            faults=frozenset({Fault.ARM_STUCK} if isinstance(phase, OutOfService) else ()),
            waiting=(read_of(OTHER_CAR), queued) if behind and waits else None,
        )
        after, effects = decide(lane, state, event, at(3))
        check(state, event, after, effects, presence_loop=presence_loop)


def kept_in(state: LaneState) -> list[EventId]:
    """The messages that the lane will settle later."""
    kept = [] if state.waiting is None else [state.waiting[1].event]
    match state.phase:
        case Approached(_, cause) | AwaitingPayment(_, cause):
            kept.append(cause.event)
        case Gathering(sightings):
            kept.extend(each.cause.event for each in sightings)
        case _:
            pass
    return kept


def check(
    before: LaneState,
    event: LaneEvent,
    after: LaneState,
    effects: tuple[Effect, ...],
    *,
    presence_loop: bool,
) -> None:
    settled = [effect.cause.event for effect in effects if isinstance(effect, SETTLING)]
    asked = [effect for effect in effects if isinstance(effect, ASKING)]
    kept = kept_in(after)
    assert len(set(settled)) == len(settled), "a cause settled twice"
    assert len(asked) <= 1
    # Whoever came in is settled, kept, or being asked about.
    if isinstance(event, Reported):
        known = {*settled, *kept, *(effect.cause.event for effect in asked)}
        assert event.cause.event in known
    if before.waiting is not None:
        known = {*settled, *kept, *(effect.cause.event for effect in asked)}
        assert before.waiting[1].event in known
    if isinstance(after.phase, HERE_ALONE | Occupied):
        assert after.presence or not presence_loop
    if isinstance(after.phase, Held | Closed | OutOfService):
        assert not after.serves
    if after.call is not None:
        assert isinstance(after.phase, CALLING)
        assert after.presence or not presence_loop or isinstance(after.phase, Passing)
    if after.waiting is not None:
        assert isinstance(after.phase, WITH_QUEUE)
    if asked:
        assert isinstance(after.phase, Deciding)
        assert asked[0].cause.event == after.phase.cause.event
    # A phase that a timer ends is entered with that timer.
    entered = type(after.phase) is not type(before.phase)
    if entered and timers_of(after.phase):
        tokens = [effect.token for effect in effects if isinstance(effect, StartTimer)]
        assert tokens[-1:] == [after.timer_token]
    # An answer that nobody waits for changes nothing.
    if isinstance(event, ANSWERS) and not isinstance(before.phase, Deciding):
        assert after == before


def test_the_table_has_every_phase_and_every_event() -> None:
    """A new phase or event type must be put into the tables, here and in the core."""
    assert set(TABLE) == set(get_args(Phase))
    for row in TABLE.values():
        assert set(row) == set(Signal)
    assert {type(phase) for phase in PHASES} == set(get_args(Phase))
    assert {type(event) for event in EVENTS} == set(get_args(LaneEvent))
    reported = {type(event.event) for event in EVENTS if isinstance(event, Reported)}
    assert reported == set(get_args(DeviceEvent))
