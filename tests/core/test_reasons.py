"""Every reason comes about: a vehicle at a lane for each, from its first message to the word."""

from collections.abc import Callable

import pytest

from gated.core.effects import Admit, Deny, Effect, Release
from gated.core.events import (
    AlreadyInside,
    EvacuationChanged,
    InputChanged,
    InputName,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.lane import LaneState
from gated.core.opening import OpeningHours
from gated.core.phases import Closed, OutOfService
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import (
    Admits,
    ButtonTicket,
    Direction,
    LanePolicy,
    LaneSetup,
    UnpaidExit,
    Unproven,
)
from gated.core.snapshot import Lapse, PlateSnapshot, Reservation
from tests.core.support import (
    START,
    STAY,
    ZONE_A,
    ZONE_B,
    Told,
    facts,
    lane_of,
    open_stay,
)

# Reserved for decisions without a database.
NOBODYS_YET = {DenyReason.DEGRADED_MODE}

ENTITLED = LanePolicy(admits=Admits.ENTITLED)
NEVER = OpeningHours((), frozenset(), frozenset(), "UTC")
WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)


def at_entry(lane: LaneSetup | None = None) -> Told:
    """A vehicle stands on the loop and is being decided on."""
    told = Told(lane or lane_of())
    told.presence(True)
    told.read()
    return told


def at_exit(policy: LanePolicy | None = None) -> Told:
    return at_entry(lane_of(Direction.EXIT, zones=(), policy=policy))


def known(snapshot: PlateSnapshot, policy: LanePolicy | None = None) -> tuple[Effect, ...]:
    """The facts at an entry."""
    return at_entry(lane_of(policy=policy)).gathered(snapshot)


def refused(refusal: ZoneRefusal) -> tuple[Effect, ...]:
    told = at_entry()
    told.gathered()
    return told.tell(ZoneRefused(told.deciding_cause, ZONE_A, refusal))


def inside_already() -> tuple[Effect, ...]:
    told = at_entry()
    told.gathered()
    return told.tell(AlreadyInside(told.deciding_cause))


def turned_away(phase: Closed | OutOfService) -> tuple[Effect, ...]:
    told = Told(state=LaneState(since=START, phase=phase))
    told.presence(True)
    return told.read()


def evacuated() -> tuple[Effect, ...]:
    told = Told()
    told.tell(EvacuationChanged(told.cause(), on=True))
    told.presence(True)
    return told.read()


def left_unpaid() -> tuple[Effect, ...]:
    told = at_exit(WAITS)
    told.gathered(facts(stay=open_stay(), due="2.50"))
    told.presence(False)
    return told.timer(TimerName.PAYMENT)


def reached_nobody() -> tuple[Effect, ...]:
    told = Told()
    told.read()
    return told.timer(TimerName.PRESENCE)


def read(**read: float | None) -> tuple[Effect, ...]:
    strict = LanePolicy(unrated_reads=Unproven.REFUSE, undated_reads=Unproven.REFUSE)
    told = Told(lane_of(policy=strict))
    told.presence(True)
    return told.read(**read)  # type: ignore[arg-type]


def unread() -> tuple[Effect, ...]:
    told = Told()
    told.presence(True)
    return told.unread()


def on_ticket() -> tuple[Effect, ...]:
    told = Told(lane_of(policy=LanePolicy(button_ticket=ButtonTicket.ADMIT)))
    told.presence(True)
    told.unread()
    told.report(InputChanged(InputName.BUTTON, on=True))
    return told.gathered(facts(None))


def never_came_in() -> tuple[Effect, ...]:
    told = at_exit()
    told.gathered(facts())
    return told.near()


DENIED: dict[DenyReason, Callable[[], tuple[Effect, ...]]] = {
    DenyReason.FULL_FACILITY: lambda: known(facts(available={ZONE_A: 0})),
    DenyReason.FULL_ZONE: lambda: known(facts(available={ZONE_A: 0, ZONE_B: 1})),
    DenyReason.FULL_CLASS: lambda: refused(ZoneRefusal.SIZE_TAKEN),
    DenyReason.VEHICLE_TOO_LARGE: lambda: refused(ZoneRefusal.TOO_SMALL),
    DenyReason.NOT_PERMITTED: lambda: known(facts(), ENTITLED),
    DenyReason.RIGHT_EXPIRED: lambda: known(facts(lapsed=Lapse.EXPIRED), ENTITLED),
    DenyReason.RIGHT_USED_UP: lambda: known(facts(lapsed=Lapse.USED_UP), ENTITLED),
    DenyReason.RIGHT_NOT_DUE: lambda: known(facts(lapsed=Lapse.NOT_DUE), ENTITLED),
    DenyReason.BLOCKED: lambda: known(facts(blocked=True)),
    DenyReason.VIOLATION_UNPAID: lambda: known(facts(violations=1, violation_denies=True)),
    DenyReason.ALREADY_INSIDE: inside_already,
    DenyReason.CLOSED: lambda: refused(ZoneRefusal.CLOSED),
    DenyReason.OUT_OF_SERVICE: lambda: turned_away(OutOfService()),
    DenyReason.EVACUATION: evacuated,
    DenyReason.OUTSIDE_OPENING_HOURS: lambda: at_entry(lane_of(opening=NEVER)).gathered(),
    DenyReason.NO_ENTRY_FOUND: never_came_in,
    DenyReason.PAYMENT_DUE: left_unpaid,
    DenyReason.READ_TOO_OLD: lambda: read(age=60.0),
    DenyReason.READ_UNDATED: lambda: read(age=None),
    DenyReason.READ_UNCERTAIN: lambda: read(confidence=0.1),
    DenyReason.READ_UNRATED: lambda: read(confidence=None),
    DenyReason.PLATE_UNREAD: unread,
    DenyReason.NO_PRESENCE: reached_nobody,
}
GRANTED: dict[GrantReason, Callable[[], tuple[Effect, ...]]] = {
    GrantReason.TRANSIENT: lambda: known(facts()),
    GrantReason.REGISTERED: lambda: known(facts(vehicle=True)),
    GrantReason.RESERVATION: lambda: known(facts(reservation=Reservation(STAY, ZONE_A))),
    GrantReason.SUBSCRIPTION: lambda: known(facts(subscription=True)),
    GrantReason.STAFF: lambda: known(facts(staff=True)),
    GrantReason.TICKET: on_ticket,
    GrantReason.STAY_OPEN: lambda: at_exit().gathered(facts(stay=open_stay())),
    GrantReason.EXIT_REPEATED: lambda: at_exit().gathered(facts(stay=open_stay(released=True))),
}


def test_none_is_left_out() -> None:
    assert {*DENIED, *NOBODYS_YET} == set(DenyReason)
    assert not DENIED.keys() & NOBODYS_YET
    assert set(GRANTED) == set(GrantReason)


@pytest.mark.parametrize("reason", DENIED)
def test_denied(reason: DenyReason) -> None:
    denials = [effect for effect in DENIED[reason]() if isinstance(effect, Deny)]
    assert [denial.reason for denial in denials] == [reason]


def test_a_closed_lane_says_so_like_closed_zones() -> None:
    (denial,) = turned_away(Closed())
    assert isinstance(denial, Deny)
    assert denial.reason is DenyReason.CLOSED


@pytest.mark.parametrize("reason", GRANTED)
def test_granted(reason: GrantReason) -> None:
    (grant,) = GRANTED[reason]()
    assert isinstance(grant, Admit | Release)
    assert grant.reason is reason
