"""Who was asked to pay before a restart: whether the question goes on, and what ends it."""

from dataclasses import replace

import pytest

from gated.core.effects import Deny, Fault, Release
from gated.core.events import Cause, InputChanged, InputName, PaymentTold, Reported, TimerName
from gated.core.matching import MatchReason
from gated.core.phases import AwaitingPayment
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.restore import restored
from gated.core.site import Direction, LanePolicy, LaneSetup, UnpaidExit
from gated.core.snapshot import AskedPayment, LaneMode, Matched, StayInside
from tests.core.support import (
    CAR,
    EUROS,
    OTHER_CAR,
    STAY,
    Told,
    at,
    cause_of,
    facts,
    kinds,
    lane_of,
    open_stay,
    read_of,
)

WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)
# It drove onto the loop half a minute before the restart, was read, and asked at once.
STOOD = cause_of(1, -31, age=31.1)
READ = cause_of(2, -30, age=30.1)
INSIDE = StayInside(STAY, CAR, at(-3600))
ASKED = AskedPayment(lane_of().id, READ.event, INSIDE, EUROS, at(-29))


def exit_of(policy: LanePolicy = WAITS, *, presence_loop: bool = True) -> LaneSetup:
    return lane_of(Direction.EXIT, zones=(), policy=policy, presence_loop=presence_loop)


def started_again(
    lane: LaneSetup | None = None,
    asked: AskedPayment = ASKED,
    *,
    mode: LaneMode = LaneMode.IN_SERVICE,
) -> Told:
    """The lane as its daemon starts; the devices' words of before are still to come."""
    lane = lane or exit_of()
    state, _ = restored(lane, None, at(0), mode, asked=asked)
    return Told(lane, state, events=10)


def hears(told: Told, name: InputName, cause: Cause = STOOD, *, on: bool = True) -> None:
    """The last word of a loop, delivered again."""
    told.tell(Reported(cause, InputChanged(name, on)))


def reads(told: Told, plate: Plate = CAR) -> list[str]:
    """The read that led to the question, delivered again."""
    return kinds(told.tell(Reported(READ, read_of(plate))))


def taken_up(lane: LaneSetup | None = None) -> Told:
    told = started_again(lane)
    if told.lane.presence_loop:
        hears(told, InputName.PRESENCE)
    reads(told)
    assert told.phase == "AwaitingPayment"
    return told


def paid(told: Told) -> list[str]:
    """Somebody pays, and it is looked for."""
    if not told.tell(PaymentTold()):
        return []
    return kinds(told.gathered(facts(stay=open_stay(), due="0.00")))


def test_who_stands_there_still_is_asked_still() -> None:
    told = started_again()
    hears(told, InputName.PRESENCE)
    assert told.phase == "Occupied"
    assert reads(told) == ["StartTimer"], "nothing is shown, decided or opened"
    as_it_was = replace(READ, age_seconds=READ.age_seconds and READ.age_seconds - 30)
    assert told.state.phase == AwaitingPayment(
        read_of(), as_it_was, EUROS, ASKED.since, stood=STOOD.event, recalled=True
    )


def test_once_it_is_paid_it_opens() -> None:
    told = taken_up().wait(10)
    told.tell(PaymentTold())
    (release,) = told.gathered(facts(stay=open_stay(), due="0.00"))
    assert isinstance(release, Release)
    assert (release.stay, release.reason, release.at) == (
        open_stay(),
        GrantReason.STAY_OPEN,
        at(10),
    )


def test_it_is_not_looked_for_before_anything_new_is_heard() -> None:
    told = taken_up().wait(2)
    assert kinds(told.timer(TimerName.PAYMENT)) == ["StartTimer"]


@pytest.mark.parametrize("heard", ["read", "loop"])
def test_and_then_it_is(heard: str) -> None:
    told = taken_up().wait(1)
    told.read() if heard == "read" else told.presence(True)
    told.wait(1)
    assert kinds(told.timer(TimerName.PAYMENT)) == ["StopTimer", "TakeSnapshot"]


def test_but_not_after_an_old_word() -> None:
    told = taken_up()
    told.presence(True, age=20)
    assert kinds(told.timer(TimerName.PAYMENT)) == ["StartTimer"]


def test_still_to_be_paid_after_a_payment_it_is_asked_as_before() -> None:
    told = taken_up()
    told.tell(PaymentTold())
    assert kinds(told.gathered(facts(stay=open_stay(), due="2.50"))) == ["StartTimer"]
    assert isinstance(told.state.phase, AwaitingPayment)
    assert told.state.phase.recalled
    assert told.state.phase.since == ASKED.since


def test_by_the_plate_that_it_was_taken_for() -> None:
    stay = replace(INSIDE, plate=Plate("HHAB1Z34"))
    lane = exit_of(replace(WAITS, match_distance_max=1))
    told = started_again(lane, replace(ASKED, stay=stay))
    hears(told, InputName.PRESENCE)
    reads(told)
    assert isinstance(told.state.phase, AwaitingPayment)
    matched = told.state.phase.matched
    assert matched == Matched(stay.plate, MatchReason.CONFUSABLE_ONE, 1, "6: 2 for Z")


class TestNobodyKnowsWhoStandsThere:
    """Then the read is too old, as any other."""

    @staticmethod
    def is_refused(told: Told) -> None:
        before = told.phase
        (denial,) = told.tell(Reported(READ, read_of()))
        assert isinstance(denial, Deny)
        assert denial.reason is DenyReason.READ_TOO_OLD
        assert told.phase == before
        assert paid(told) == []

    def test_nobody_does(self) -> None:
        self.is_refused(started_again())

    def test_somebody_has_come_onto_the_loop_since(self) -> None:
        told = started_again()
        hears(told, InputName.PRESENCE, cause_of(3, -20, age=20.1))
        self.is_refused(told)

    @pytest.mark.parametrize("on", [True, False])
    def test_somebody_was_on_the_closing_loop_since(self, on: bool) -> None:
        told = started_again()
        hears(told, InputName.PRESENCE)
        hears(told, InputName.CLOSING, cause_of(3, -20, age=20.1), on=on)
        self.is_refused(told)

    def test_somebody_is_on_the_closing_loop(self) -> None:
        told = started_again()
        hears(told, InputName.PRESENCE)
        hears(told, InputName.CLOSING, cause_of(3, -30, age=30.1))
        self.is_refused(told)

    def test_the_loop_is_stuck(self) -> None:
        told = started_again()
        told.state = replace(told.state, faults=frozenset({Fault.PRESENCE_LOOP_STUCK}))
        hears(told, InputName.PRESENCE)
        self.is_refused(told)

    def test_it_was_matched_by_hand(self) -> None:
        told = started_again(asked=replace(ASKED, stay=replace(INSIDE, plate=OTHER_CAR)))
        hears(told, InputName.PRESENCE)
        self.is_refused(told)

    def test_the_question_was_about_another_message(self) -> None:
        told = started_again(asked=replace(ASKED, event=cause_of(9).event))
        hears(told, InputName.PRESENCE)
        self.is_refused(told)

    def test_the_lane_lets_everybody_out_by_now(self) -> None:
        told = started_again(exit_of(LanePolicy(unpaid_exit=UnpaidExit.OPEN)))
        hears(told, InputName.PRESENCE)
        self.is_refused(told)

    def test_no_loop_tells_and_it_is_long_ago(self) -> None:
        since = at(-WAITS.payment_seconds_max - 1)
        self.is_refused(started_again(exit_of(presence_loop=False), replace(ASKED, since=since)))


class TestItEnds:
    """What would be a look, or a wait, for one that is known to be there."""

    @staticmethod
    def has_ended(told: Told) -> None:
        denials = [one.reason for one in told.effects if isinstance(one, Deny)]
        assert DenyReason.PAYMENT_DUE in denials
        assert paid(told) == []

    @pytest.mark.parametrize("age", [0.1, 20])
    def test_when_the_loop_is_left(self, age: float) -> None:
        told = taken_up()
        told.presence(False, age=age)
        assert told.phase == "Idle"
        told.presence(True, age=age)
        self.has_ended(told)

    def test_when_it_is_left_during_a_look(self) -> None:
        told = taken_up()
        told.tell(PaymentTold())
        told.presence(False)
        told.gathered(facts(stay=open_stay(), due="0.00"))
        assert told.phase == "Idle"
        self.has_ended(told)

    def test_on_the_closing_loop(self) -> None:
        told = taken_up()
        told.closing(True)
        self.has_ended(told)

    def test_on_the_closing_loop_during_a_look(self) -> None:
        told = taken_up()
        told.tell(PaymentTold())
        told.closing(True)
        told.gathered(facts(stay=open_stay(), due="0.00"))
        self.has_ended(told)

    def test_by_another_plate(self) -> None:
        told = taken_up()
        told.read(OTHER_CAR)
        assert told.phase == "Deciding"
        told.gathered(facts(OTHER_CAR))
        self.has_ended(told)

    def test_by_another_plate_that_was_read_meanwhile(self) -> None:
        told = taken_up()
        told.read(OTHER_CAR, age=20)
        assert told.phase == "Occupied"
        self.has_ended(told)

    def test_not_by_a_misreading(self) -> None:
        told = taken_up()
        told.read(Plate("HHAB1284"), age=20)
        assert told.phase == "AwaitingPayment"

    def test_after_a_while_where_no_loop_tells(self) -> None:
        told = taken_up(exit_of(presence_loop=False))
        told.wait(91)
        told.timer(TimerName.PAYMENT)
        self.has_ended(told)


def test_where_no_loop_tells_it_is_believed_for_a_while() -> None:
    told = taken_up(exit_of(presence_loop=False)).wait(60)
    assert kinds(told.timer(TimerName.PAYMENT)) == ["StartTimer"]
    assert paid(told) == ["Release"]


def test_a_lane_that_is_closed_by_now_is_closed_behind_it() -> None:
    told = started_again(mode=LaneMode.CLOSED)
    hears(told, InputName.PRESENCE)
    reads(told)
    assert paid(told) == ["Release"]


def test_one_that_is_held_open_asks_nobody() -> None:
    told = started_again(mode=LaneMode.HELD)
    hears(told, InputName.PRESENCE)
    assert reads(told) == ["Deny"]
    assert told.phase == "Held"
