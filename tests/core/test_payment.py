"""Payment at the exit: who has not paid is asked, waited for, and let out once it is paid."""

from dataclasses import replace

import pytest

from gated.core.effects import (
    AskPayment,
    CompletePassage,
    Deny,
    FreeKind,
    Notice,
    Outcome,
    PassageKnown,
    PassFreely,
    Release,
    Settle,
)
from gated.core.events import (
    BarrierState,
    DecisionFailed,
    NoOpenStay,
    Operated,
    OperateOutcome,
    OperatorDo,
    PaymentTold,
    Request,
    TimerName,
)
from gated.core.lane import Passed
from gated.core.phases import AwaitingPayment, Deciding, Opening
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Direction, LanePolicy, UnpaidExit
from gated.core.snapshot import StayInside
from tests.core.support import (
    CAR,
    EUROS,
    OTHER_CAR,
    OTHER_STAY,
    STAY,
    Told,
    at,
    cause_of,
    facts,
    kinds,
    lane_of,
    open_stay,
    read_of,
    started,
)

# The camera takes its Z for a 2.
MISREAD = Plate("HHAB1Z34")
WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)
READ = cause_of(2)


def exit_lane(policy: LanePolicy = WAITS, *, presence_loop: bool = True) -> Told:
    """A vehicle stands at the exit, and its plate was read."""
    told = Told(lane_of(Direction.EXIT, zones=(), policy=policy, presence_loop=presence_loop))
    told.presence(True)
    told.read()
    return told


def asked(*, presence_loop: bool = True) -> Told:
    """It was asked for 2.50."""
    told = exit_lane(presence_loop=presence_loop)
    told.gathered(facts(stay=open_stay(), due="2.50"))
    return told


def waiting(told: Told) -> AwaitingPayment:
    """What it was asked when it stood there first."""
    return AwaitingPayment(read_of(), READ, EUROS, at(0), stood=told.state.stood)


def look(told: Told, due: str | None = None) -> list[str]:
    """The lane looks again, after its time."""
    told.wait(2)
    told.timer(TimerName.PAYMENT)
    return kinds(told.gathered(facts(stay=open_stay(), due=due)))


@pytest.mark.parametrize(("due", "rest"), [("2.50", False), ("3.00", False), ("0.50", True)])
def test_of_what_is_paid_in_part_the_rest_is_asked_for(due: str, rest: bool) -> None:
    (question,) = (
        effect
        for effect in exit_lane().gathered(facts(stay=open_stay(), due=due))
        if isinstance(effect, AskPayment)
    )
    assert question.rest is rest


def test_who_has_not_paid_is_told_what_is_due_and_waited_for() -> None:
    told = exit_lane()
    effects = told.gathered(facts(stay=open_stay(), due="2.50"))
    assert effects[-1] == AskPayment(READ, read_of(), open_stay(), EUROS)
    assert started(effects) == {TimerName.PAYMENT: 2.0}
    assert told.state.phase == waiting(told)


@pytest.mark.parametrize("due", ["0.00", None])
def test_who_has_paid_leaves_at_once(due: str | None) -> None:
    told = exit_lane()
    (release,) = told.gathered(facts(stay=open_stay(), due=due))
    assert isinstance(release, Release)
    assert release.at is None, "the stay ended when it was read"


def test_where_nobody_is_asked_everybody_leaves() -> None:
    told = exit_lane(LanePolicy(unpaid_exit=UnpaidExit.OPEN))
    assert kinds(told.gathered(facts(stay=open_stay(), due="2.50"))) == ["Release"]


def test_who_was_let_out_before_is_not_asked_again() -> None:
    told = exit_lane()
    stay = open_stay(released=True)
    assert kinds(told.gathered(facts(stay=stay, due="2.50"))) == ["Release"]


def test_once_it_is_paid_it_opens_without_a_new_read() -> None:
    told = asked()
    told.wait(30)
    assert kinds(told.tell(PaymentTold())) == ["StopTimer", "TakeSnapshot"]
    (release,) = told.gathered(facts(stay=open_stay(), due="0.00"))
    assert release == Release(
        READ, read_of(), open_stay(), GrantReason.STAY_OPEN, at(35), at=at(30)
    )
    told.released()
    assert isinstance(told.state.phase, Opening)


def test_the_time_that_a_driver_takes_to_pay_is_no_latency() -> None:
    told = asked()
    told.wait(30)
    told.tell(PaymentTold(READ.received_monotonic + 30))
    (release,) = told.gathered(facts(stay=open_stay(), due="0.00"))
    assert isinstance(release, Release)
    assert release.cause.received_monotonic == READ.received_monotonic + 30
    assert release.cause == replace(READ, received_monotonic=release.cause.received_monotonic)


def test_what_nobody_told_is_seen_at_the_next_look() -> None:
    told = asked()
    assert look(told, "2.50") == ["StartTimer"], "the amount is shown already"
    assert look(told, None) == ["Release"]


def test_a_part_of_it_shows_the_rest() -> None:
    told = asked()
    assert look(told, "1.00") == ["StartTimer", "AskPayment"]
    assert look(told, "1.00") == ["StartTimer"]
    # The longer it stands there, the more it may be.
    assert look(told, "3.50") == ["StartTimer", "AskPayment"]


def test_who_backs_off_is_denied_after_a_while_and_the_stay_goes_on() -> None:
    told = asked()
    assert started(told.presence(False)) == {TimerName.PAYMENT: 6.0}
    told.wait(1)
    # A box that repeats its contacts gives it no more time.
    assert started(told.presence(False)) == {}
    assert told.tell(PaymentTold()) == (), "nobody is there to be let out"
    told.wait(5)
    effects = told.timer(TimerName.PAYMENT)
    assert Deny(READ, DenyReason.PAYMENT_DUE, read_of(), show=False) in effects
    assert told.at_rest
    # Back again, it is asked again.
    told.wait(1)
    told.presence(True)
    assert kinds(told.read()) == ["TakeSnapshot"]


def test_who_backs_off_during_a_look_is_not_let_out() -> None:
    told = asked()
    told.tell(PaymentTold())
    told.presence(False)
    assert kinds(told.gathered(facts(stay=open_stay(), due="0.00"))) == ["StartTimer"]
    # Back again, it is looked once more.
    assert kinds(told.presence(True)) == ["StopTimer", "TakeSnapshot", "Settle"]
    assert kinds(told.gathered(facts(stay=open_stay(), due="0.00"))) == ["Release"]


def test_who_comes_instead_and_is_read_takes_its_place() -> None:
    told = asked()
    told.presence(False)
    told.presence(True)
    told.gathered(facts(stay=open_stay(), due="2.50"))
    assert told.phase == "AwaitingPayment"
    # A misread of it changes nothing; another plate is another vehicle.
    told.read(Plate("HHAB1284"))
    assert told.phase == "AwaitingPayment"
    effects = told.read(OTHER_CAR)
    assert Deny(READ, DenyReason.PAYMENT_DUE, read_of(), show=False) in effects
    assert isinstance(told.state.phase, Deciding)
    assert told.state.phase.plate == OTHER_CAR


def test_and_is_not_let_out_by_a_payment_for_the_one_before() -> None:
    told = asked()
    told.presence(False)
    told.presence(True)
    told.read(OTHER_CAR)
    effects = told.gathered(facts(stay=open_stay(), due="0.00"))
    assert "Release" not in kinds(effects)
    assert isinstance(told.state.phase, Deciding)
    assert told.state.phase.plate == OTHER_CAR


def test_without_an_answer_the_question_stays_open() -> None:
    told = asked()
    told.tell(PaymentTold())
    effects = told.tell(DecisionFailed(READ, "away"))
    assert kinds(effects) == ["Notice", "StartTimer"]
    assert told.state.phase == waiting(told)
    assert look(told, None) == ["Release"]


def test_a_stay_that_somebody_else_ended_is_denied() -> None:
    told = asked()
    told.tell(PaymentTold())
    told.gathered(facts(stay=open_stay(), due=None))
    told.tell(NoOpenStay(READ))
    assert told.denied == CAR


def test_its_own_plate_read_again_changes_nothing() -> None:
    told = asked()
    before = told.state.phase
    told.wait(20)
    assert told.read() == (Settle(told.last, Outcome.FOLDED),)
    assert told.state.phase == before


def test_the_vehicle_behind_waits_for_its_turn() -> None:
    told = asked()
    assert told.read(OTHER_CAR) == ()
    assert told.phase == "AwaitingPayment"
    told.presence(False)
    told.presence(True)
    assert isinstance(told.state.phase, Deciding)
    assert told.state.phase.plate == OTHER_CAR


class TestWithoutAPresenceLoop:
    def test_it_is_waited_for_so_long(self) -> None:
        told = asked(presence_loop=False)
        assert look(told, "2.50") == ["StartTimer"]
        told.wait(118)
        # Nobody looks any more, but once somebody pays.
        told.timer(TimerName.PAYMENT)
        effects = told.gathered(facts(stay=open_stay(), due="2.50"))
        assert started(effects) == {TimerName.PAYMENT: 900.0 - 120}
        told.wait(300)
        told.tell(PaymentTold())
        assert kinds(told.gathered(facts(stay=open_stay(), due="0.00"))) == ["Release"]

    def test_and_then_it_is_gone(self) -> None:
        told = asked(presence_loop=False)
        told.wait(900)
        told.timer(TimerName.PAYMENT)
        assert "Deny" in kinds(told.gathered(facts(stay=open_stay(), due="0.50")))
        assert told.at_rest

    def test_another_vehicle_takes_its_place(self) -> None:
        told = asked(presence_loop=False)
        told.wait(1)
        effects = told.read(OTHER_CAR)
        assert kinds(effects) == ["StopTimer", "Deny", "TakeSnapshot"]


def test_a_payment_somewhere_else_means_nothing_to_an_idle_lane() -> None:
    told = Told(lane_of(Direction.EXIT, zones=(), policy=WAITS))
    before = told.state
    assert told.tell(PaymentTold()) == ()
    assert told.state == before


def test_a_payment_during_the_look_is_looked_for_once_more() -> None:
    told = exit_lane()
    told.tell(PaymentTold())
    effects = told.gathered(facts(stay=open_stay(), due="2.50"))
    assert kinds(effects) == ["TakeSnapshot"]
    effects = told.gathered(facts(stay=open_stay(), due="0.00"))
    assert kinds(effects) == ["Release"]


class TestOntoTheClosingLoop:
    """Who is asked to pay rolls as far as the arm, or goes."""

    def test_who_rolls_on_and_back_is_asked_still(self) -> None:
        told = asked()
        told.wait(3)
        assert kinds(told.closing(True)) == ["Notice", "Settle"]
        assert told.phase == "AwaitingPayment"
        told.wait(1)
        effects = told.closing(False)
        assert Notice("rolled_back", told.last, FreeKind.EXIT_WITHOUT_PAYMENT) in effects
        assert told.state.phase == replace(waiting(told), rolled_at=told.now)
        told.wait(20)
        told.tell(PaymentTold())
        assert kinds(told.gathered(facts(stay=open_stay(), due="0.00"))) == ["Release"]

    def test_who_rolls_on_during_a_look_and_back_is_asked_still(self) -> None:
        told = asked()
        told.wait(2)
        told.timer(TimerName.PAYMENT)
        told.closing(True)
        told.closing(False)
        assert kinds(told.gathered(facts(stay=open_stay(), due="2.50"))) == ["StartTimer"]
        assert told.phase == "AwaitingPayment"

    @pytest.mark.parametrize("answer", ["facts", "none"])
    def test_who_is_on_it_when_a_look_ends_is_asked_still(self, answer: str) -> None:
        told = asked()
        told.wait(2)
        told.timer(TimerName.PAYMENT)
        told.closing(True)
        if answer == "facts":
            told.gathered(facts(stay=open_stay(), due="2.50"))
        else:
            told.tell(DecisionFailed(READ, "away"))
        assert told.phase == "AwaitingPayment"
        told.closing(False)
        assert told.phase == "AwaitingPayment"
        assert told.state.crossing is None

    def test_who_pays_on_it_goes_on(self) -> None:
        told = asked()
        told.closing(True)
        told.tell(PaymentTold())
        assert kinds(told.gathered(facts(stay=open_stay(), due="0.00"))) == ["Release"]
        told.released()
        assert told.phase == "Passing"
        told.presence(False)
        assert CompletePassage(STAY, PassageKnown.MEASURED, READ.event) in told.closing(False)

    def test_who_was_misread_too(self) -> None:
        told = exit_lane(replace(WAITS, match_distance_max=1))
        told.gathered(facts())
        told.near(StayInside(STAY, MISREAD, at(-3600)))
        told.gathered(facts(MISREAD, stay=open_stay(), due="2.50"))
        told.closing(True)
        told.tell(PaymentTold())
        told.gathered(facts(MISREAD, stay=open_stay(), due="0.00"))
        told.released()
        assert told.phase == "Passing"
        assert told.state.crossing is None

    def test_who_leaves_over_it_has_left_unpaid(self) -> None:
        told = asked()
        told.closing(True)
        effects = told.presence(False)
        assert Deny(READ, DenyReason.PAYMENT_DUE, read_of(), show=False) in effects
        assert told.at_rest
        (passed,) = (one for one in told.closing(False) if isinstance(one, PassFreely))
        assert passed.kind is FreeKind.EXIT_WITHOUT_PAYMENT
        assert passed.read == read_of()

    @pytest.mark.parametrize("cleared_first", [True, False])
    def test_who_leaves_over_it_during_a_look_too(self, cleared_first: bool) -> None:
        told = asked()
        told.closing(True)
        told.wait(2)
        told.timer(TimerName.PAYMENT)
        told.presence(False)
        if cleared_first:
            told.closing(False)
        told.gathered(facts(stay=open_stay(), due="2.50"))
        assert told.at_rest
        if not cleared_first:
            told.closing(False)
        denials = [one for one in told.effects if isinstance(one, Deny)]
        assert denials == [Deny(READ, DenyReason.PAYMENT_DUE, read_of(), show=False)]
        (passed,) = (one for one in told.effects if isinstance(one, PassFreely))
        assert passed.kind is FreeKind.EXIT_WITHOUT_PAYMENT

    def test_where_the_arm_is_up_it_may_be_through_with_another_behind(self) -> None:
        told = Told(lane_of(Direction.EXIT, zones=(), policy=WAITS, arm_switch=True))
        told.presence(True)
        told.read()
        told.gathered(facts(stay=open_stay(), due="2.50"))
        told.arm(BarrierState.OPENED)
        told.closing(True)
        effects = told.closing(False)
        (passed,) = (one for one in effects if isinstance(one, PassFreely))
        assert passed.kind is FreeKind.UNEXPLAINED
        assert Deny(READ, DenyReason.PAYMENT_DUE, read_of(), show=False) in effects
        assert told.at_rest

    def test_who_follows_another_with_a_third_behind_is_not_asked_any_more(self) -> None:
        told = asked()
        told.state = replace(told.state, passed_last=Passed(OTHER_STAY, told.now))
        told.closing(True)
        effects = told.closing(False)
        (passed,) = (one for one in effects if isinstance(one, PassFreely))
        assert passed.kind is FreeKind.UNEXPLAINED
        assert told.at_rest

    def test_another_plate_behind_one_that_rolled_back_takes_its_place(self) -> None:
        """Nothing tells that the arm was down: it may be through, and the next has closed up."""
        told = asked()
        told.closing(True)
        told.closing(False)
        told.wait(1)
        told.read(Plate("HHAB1284"))
        assert told.phase == "AwaitingPayment"
        told.read(OTHER_CAR)
        assert isinstance(told.state.phase, Deciding)
        assert told.state.phase.plate == OTHER_CAR

    def test_also_after_a_look(self) -> None:
        told = asked()
        told.closing(True)
        told.closing(False)
        assert look(told, "2.50") == ["StartTimer"]
        told.read(OTHER_CAR)
        assert isinstance(told.state.phase, Deciding)
        assert told.state.phase.plate == OTHER_CAR

    def test_but_none_that_was_read_before(self) -> None:
        told = asked()
        told.read(OTHER_CAR)
        told.wait(1)
        told.closing(True)
        told.closing(False)
        assert look(told, "2.50") == ["StartTimer"]
        assert told.phase == "AwaitingPayment"

    def test_nor_where_the_arm_says_that_it_was_down(self) -> None:
        told = Told(lane_of(Direction.EXIT, zones=(), policy=WAITS, arm_switch=True))
        told.arm(BarrierState.CLOSED)
        told.presence(True)
        told.read()
        told.gathered(facts(stay=open_stay(), due="2.50"))
        told.closing(True)
        told.closing(False)
        told.wait(1)
        told.read(OTHER_CAR)
        assert told.phase == "AwaitingPayment"

    def test_in_a_lane_that_is_held_meanwhile_it_is_known_who_stands_there(self) -> None:
        told = asked()
        told.closing(True)
        told.closing(False)
        request = Request("1", "ada", OperatorDo.HOLD, "because")
        told.tell(Operated(cause_of(9), request, OperateOutcome.DONE, None))
        told.closing(True)
        told.presence(False)
        (passed,) = (one for one in told.closing(False) if isinstance(one, PassFreely))
        assert passed.kind is FreeKind.HELD
        assert passed.read == read_of()
