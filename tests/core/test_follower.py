"""Who follows in another's opening and is read under way: its books, and nobody else's."""

from gated.core.crossing import known_as
from gated.core.effects import (
    CompletePassage,
    FreeKind,
    Outcome,
    PassageKnown,
    PassFreely,
    Settle,
)
from gated.core.events import BarrierState, OpenStaysTaken, OperatorDo, PlateRead, TimerName
from gated.core.phases import Held, LetThrough
from gated.core.plates import Plate
from gated.core.site import Direction, LanePolicy, UnpaidExit
from gated.core.snapshot import Matched, StayInside
from tests.core.support import (
    CAR,
    OPEN_AGAIN,
    OTHER_CAR,
    OTHER_STAY,
    STAY,
    Told,
    acts,
    at,
    facts,
    lane_of,
    open_stay,
    read_of,
)
from tests.core.test_worst_moments import operated, through, who

INSIDE = Plate("HHA81234")
MATCHED = Matched(INSIDE, "confusable_one", 1, "4: B for 8")


def followed(*, unpaid_exit: UnpaidExit = UnpaidExit.OPEN) -> Told:
    """One has left, and the next, which nobody has read, is under the arm behind it."""
    policy = LanePolicy(unpaid_exit=unpaid_exit)
    told = Told(lane_of(Direction.EXIT, zones=(), arm_switch=True, policy=policy))
    told.presence(True)
    told.read()
    told.gathered(facts(stay=open_stay()))
    told.released()
    told.arm(BarrierState.OPENED)
    told.closing(True)
    told.presence(False)
    told.presence(True)
    told.closing(False)
    assert told.phase == "Closing"
    told.wait(1)
    told.closing(True)
    assert told.state.crossing is not None
    assert told.state.crossing.kind is FreeKind.TAILGATING
    return told


def free(told: Told) -> list[tuple[FreeKind, object]]:
    """How they came through that nobody granted passage, and who they were."""
    return list(zip(through(told), who(told), strict=True))


class TestItIsKnown:
    def test_who_leaves_the_presence_loop_while_it_is_decided_on(self) -> None:
        told = followed()
        told.read(OTHER_CAR)
        read = told.last
        told.presence(False)
        told.closing(False)
        effects = told.gathered(facts(OTHER_CAR, stay=open_stay(stay=OTHER_STAY)))
        assert acts(effects) == ["Settle", "PassFreely"]
        assert Settle(read, Outcome.SUPERSEDED) in effects
        assert free(told) == [(FreeKind.TAILGATING, OTHER_CAR)]
        assert told.at_rest

    def test_also_if_the_facts_are_there_before_it_is_through(self) -> None:
        told = followed()
        told.read(OTHER_CAR)
        told.presence(False)
        told.gathered(facts(OTHER_CAR, stay=open_stay(stay=OTHER_STAY)))
        told.closing(False)
        assert free(told) == [(FreeKind.TAILGATING, OTHER_CAR)]
        assert told.at_rest

    def test_one_that_was_granted_it_under_the_arm_has_passed(self) -> None:
        told = followed()
        told.read(OTHER_CAR)
        told.gathered(facts(OTHER_CAR, stay=open_stay(stay=OTHER_STAY)))
        event = told.deciding_cause.event
        told.released(stay=OTHER_STAY, command=OPEN_AGAIN)
        told.presence(False)
        assert told.phase == "Passing"
        effects = told.closing(False)
        assert CompletePassage(OTHER_STAY, PassageKnown.MEASURED, event) in effects
        assert free(told) == []

    def test_one_that_was_refused(self) -> None:
        told = followed()
        told.read(OTHER_CAR)
        told.gathered(facts(OTHER_CAR))
        told.near()
        assert told.denied == OTHER_CAR
        told.presence(False)
        told.closing(False)
        assert free(told) == [(FreeKind.TAILGATING, OTHER_CAR)]

    def test_one_that_was_asked_to_pay(self) -> None:
        told = followed(unpaid_exit=UnpaidExit.WAIT)
        told.read(OTHER_CAR)
        told.gathered(facts(OTHER_CAR, stay=open_stay(stay=OTHER_STAY), due="2.50"))
        assert told.phase == "AwaitingPayment"
        told.presence(False)
        told.closing(False)
        assert free(told) == [(FreeKind.TAILGATING, OTHER_CAR)]

    def test_one_that_is_read_late_when_nobody_stands_there(self) -> None:
        told = followed()
        told.presence(False)
        told.read(OTHER_CAR)
        read = told.last
        effects = told.closing(False)
        assert Settle(read, Outcome.NOTED) in effects
        assert free(told) == [(FreeKind.TAILGATING, OTHER_CAR)]
        assert told.at_rest
        told.presence(True)
        # Its rear.
        assert acts(told.read(OTHER_CAR)) == ["Settle"]


class TestItMayBeAnother:
    """A read of a vehicle that stands on the presence loop is that one's."""

    def test_who_stands_there_still_when_it_is_through(self) -> None:
        told = followed()
        told.read(OTHER_CAR)
        told.closing(False)
        told.gathered(facts(OTHER_CAR, stay=open_stay(stay=OTHER_STAY)))
        told.released(stay=OTHER_STAY, command=OPEN_AGAIN)
        assert told.phase in ("Open", "Opening")
        assert OTHER_CAR not in who(told)

    def test_who_came_onto_the_presence_loop_since(self) -> None:
        told = followed()
        told.presence(False)
        told.presence(True)
        told.read(OTHER_CAR)
        told.presence(False)
        told.closing(False)
        assert free(told) == [(FreeKind.TAILGATING, None)]

    def test_who_is_read_ahead_and_arrives_before_it_is_through(self) -> None:
        told = followed()
        told.presence(False)
        told.read(OTHER_CAR)
        told.presence(True)
        assert told.phase == "Deciding"
        told.closing(False)
        assert free(told) == [(FreeKind.TAILGATING, None)]

    def test_a_box_that_repeats_its_contacts_tells_of_nobody_leaving(self) -> None:
        told = followed()
        told.presence(False)
        told.read(OTHER_CAR)
        told.presence(False)
        assert told.state.crossing is not None
        assert told.state.crossing.read is None

    def test_one_that_is_read_badly_stays_unknown(self) -> None:
        told = followed()
        told.read(OTHER_CAR, confidence=0.3)
        told.presence(False)
        told.closing(False)
        assert free(told) == [(FreeKind.TAILGATING, None)]

    def test_the_leader_that_is_read_again_is_not_its_follower(self) -> None:
        told = followed()
        told.read(CAR)
        told.presence(False)
        told.closing(False)
        assert free(told) == [(FreeKind.TAILGATING, None)]


# ── whom a misread plate was taken for ──────────────────────────────────────────────────────


def test_a_match_names_the_plate_and_the_raw_text_stays() -> None:
    read = read_of()
    known = known_as(read, MATCHED)
    assert known == PlateRead(INSIDE, read.plate_raw, read.confidence)
    assert known_as(read, None) == read


def asked_to_pay_as_another() -> Told:
    policy = LanePolicy(unpaid_exit=UnpaidExit.WAIT, match_distance_max=1)
    told = Told(lane_of(Direction.EXIT, zones=(), policy=policy))
    told.presence(True)
    told.read()
    told.gathered(facts())
    told.tell(OpenStaysTaken(told.deciding_cause, (StayInside(STAY, INSIDE, at(-3600)),)))
    told.gathered(facts(INSIDE, stay=open_stay(), due="2.50"))
    assert told.phase == "AwaitingPayment"
    return told


def drives_out(told: Told) -> PassFreely:
    told.closing(True)
    told.presence(False)
    told.closing(False)
    (passed,) = [effect for effect in told.effects if isinstance(effect, PassFreely)]
    return passed


def test_who_drives_out_unpaid_is_booked_as_whom_it_was_taken_for() -> None:
    passed = drives_out(asked_to_pay_as_another())
    assert passed.kind is FreeKind.EXIT_WITHOUT_PAYMENT
    assert passed.read == known_as(read_of(), MATCHED)


def test_also_while_the_lane_looks_whether_it_has_paid() -> None:
    told = asked_to_pay_as_another()
    told.wait(60)
    told.timer(TimerName.PAYMENT)
    assert told.phase == "Deciding"
    told.closing(True)
    told.presence(False)
    told.closing(False)
    told.gathered(facts(INSIDE, stay=open_stay(), due="2.50"))
    assert who(told) == [INSIDE]


def test_opened_for_by_hand_it_is_booked_the_same_however_often_it_is_read() -> None:
    told = asked_to_pay_as_another()
    operated(told, OperatorDo.OPEN)
    assert isinstance(told.state.phase, LetThrough)
    told.wait(60)
    assert acts(told.read()) == ["Settle"]
    assert told.state.waiting is None
    passed = drives_out(told)
    assert passed.kind is FreeKind.OPERATOR
    assert passed.read == known_as(read_of(), MATCHED)


def test_in_a_lane_that_is_held_open_meanwhile_too() -> None:
    told = asked_to_pay_as_another()
    operated(told, OperatorDo.HOLD)
    told.wait(60)
    told.read()
    passed = drives_out(told)
    assert passed.kind is FreeKind.HELD
    assert passed.read == known_as(read_of(), MATCHED)


def test_also_if_that_was_ordered_while_the_lane_looked_for_a_payment() -> None:
    for do in (OperatorDo.OPEN, OperatorDo.HOLD):
        told = asked_to_pay_as_another()
        told.wait(60)
        told.timer(TimerName.PAYMENT)
        operated(told, do)
        told.gathered(facts(INSIDE))
        assert isinstance(told.state.phase, LetThrough | Held)
        assert drives_out(told).read == known_as(read_of(), MATCHED)
