"""Somebody at a lane needs a person: the lane says so as long as that is so, and no longer."""

from dataclasses import replace

import pytest

from gated.core.effects import Fault
from gated.core.events import (
    BarrierState,
    EvacuationChanged,
    InputChanged,
    InputName,
    Operated,
    OperateOutcome,
    OperatorDo,
    Request,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.lane import Call, shown_of
from gated.core.plates import Plate
from gated.core.reasons import CallReason, DenyReason
from gated.core.site import ButtonTicket, Direction, LanePolicy, UnpaidExit, Unproven
from gated.core.snapshot import StayInside
from tests.core.support import (
    CAR,
    OTHER_CAR,
    STAY,
    ZONE_A,
    Told,
    at,
    facts,
    lane_of,
    open_stay,
)

NEAR = StayInside(STAY, Plate("HHA81284"), at(-3600))  # two misreadings: for an operator


def lane(direction: Direction = Direction.EXIT, **says: object) -> Told:
    zones = () if direction is Direction.EXIT else (ZONE_A,)
    return Told(lane_of(direction, zones=zones, **says))  # type: ignore[arg-type]


def why(told: Told) -> CallReason | None:
    call = shown_of(told.state).call
    return None if call is None else call.why


def press(told: Told) -> None:
    told.report(InputChanged(InputName.BUTTON, True))


def operated(told: Told, do: OperatorDo, plate: Plate | None = None) -> None:
    request = Request("1", "olga", do, "somebody called", told.lane.id)
    told.tell(Operated(told.cause(), request, OperateOutcome.DONE, None, plate=plate))


def unread(direction: Direction = Direction.ENTRY, policy: LanePolicy | None = None) -> Told:
    told = lane(direction, policy=policy)
    told.presence(True)
    told.wait(2)
    told.unread()
    return told


def nobodys(*near: StayInside) -> Told:
    """At an exit, with a plate that nobody came in with."""
    told = lane()
    told.presence(True)
    told.wait(2)
    told.read()
    told.gathered(facts())
    told.near(*near)
    return told


class TestBegins:
    def test_nobody_calls_at_first(self) -> None:
        assert shown_of(lane().state).call is None

    def test_a_plate_that_the_camera_cannot_read(self) -> None:
        assert shown_of(unread().state).call == Call(CallReason.PLATE_UNREAD, at(2))

    def test_a_vehicle_of_which_no_camera_says_anything(self) -> None:
        told = lane(Direction.ENTRY)
        told.presence(True)
        assert why(told) is None
        told.wait(10)
        told.timer(TimerName.READ)
        assert shown_of(told.state).call == Call(CallReason.PLATE_UNREAD, at(10))

    @pytest.mark.parametrize(
        ("confidence", "reason"),
        [(0.2, CallReason.READ_UNCERTAIN), (None, CallReason.READ_UNRATED)],
    )
    def test_a_read_that_is_not_sure(self, confidence: float | None, reason: CallReason) -> None:
        told = lane(Direction.ENTRY, policy=LanePolicy(unrated_reads=Unproven.REFUSE))
        told.presence(True)
        told.read(confidence=confidence)
        assert why(told) is reason

    def test_reads_that_do_not_agree(self) -> None:
        told = lane(Direction.ENTRY, policy=LanePolicy(consensus_reads_min=2))
        told.presence(True)
        told.read(confidence=0.5)
        assert why(told) is None
        told.timer(TimerName.CONSENSUS)
        assert why(told) is CallReason.READ_UNCERTAIN

    def test_one_that_is_inside_and_nobody_knows_as_what(self) -> None:
        assert shown_of(nobodys().state).call == Call(CallReason.NO_ENTRY_FOUND, at(2))

    def test_one_that_an_operator_can_match(self) -> None:
        assert shown_of(nobodys(NEAR).state).call == Call(CallReason.MATCH_NEEDED, at(2))

    def test_one_that_stands_inside_before_a_broken_arm(self) -> None:
        for direction in Direction:
            told = lane(direction, arm_switch=True)
            told.arm(BarrierState.FAULT)
            assert why(told) is None
            told.presence(True)
            # Who stands outside may go elsewhere, and is told where.
            inside = direction is not Direction.ENTRY
            assert why(told) is (CallReason.OUT_OF_SERVICE if inside else None)
            told.presence(False)
            assert why(told) is None

    def test_one_that_was_let_through_and_does_not_move(self) -> None:
        told = lane()
        told.presence(True)
        told.read()
        told.gathered(facts(stay=open_stay()))
        told.released()
        told.wait(60)
        assert why(told) is None
        told.timer(TimerName.PASSAGE)
        assert shown_of(told.state).call == Call(CallReason.VEHICLE_NOT_MOVING, at(60))
        told.closing(True)
        assert why(told) is None

    def test_one_that_the_arm_comes_down_on(self) -> None:
        told = lane(arm_switch=True)
        told.presence(True)
        told.read()
        told.gathered(facts(stay=open_stay()))
        told.released()
        told.arm(BarrierState.OPENED)
        told.closing(True)
        told.presence(False)
        told.wait(4)
        told.arm(BarrierState.CLOSED)
        called = Call(CallReason.ARM_DOWN_ON_VEHICLE, at(4))
        assert (told.phase, shown_of(told.state).call) == ("Passing", called)
        # An arm that says the same again and again rings once.
        told.wait(4)
        told.arm(BarrierState.CLOSED)
        told.presence(True)
        assert shown_of(told.state).call == called
        told.arm(BarrierState.OPENED)
        assert why(told) is None

    def test_what_is_an_answer_calls_nobody(self) -> None:
        told = lane(Direction.ENTRY)
        told.presence(True)
        told.read()
        told.gathered(facts())
        told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.FULL))
        assert told.denied == CAR
        assert why(told) is None


class TestButton:
    def refused(self) -> Told:
        told = lane(Direction.ENTRY)
        told.presence(True)
        told.read()
        told.gathered(facts(blocked=True))
        return told

    def test_whoever_is_refused_may_call(self) -> None:
        told = self.refused()
        assert why(told) is None
        told.wait(3)
        press(told)
        assert shown_of(told.state).call == Call(CallReason.BUTTON, at(3))
        told.presence(False)
        assert why(told) is None
        told.presence(True)
        assert why(told) is None

    def test_a_better_word_is_not_lost_by_it(self) -> None:
        told = nobodys(NEAR)
        press(told)
        assert why(told) is CallReason.MATCH_NEEDED

    def test_it_calls_while_its_driver_cannot_pay_also_when_that_is_looked_at(self) -> None:
        told = lane(policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT))
        told.presence(True)
        told.read()
        told.gathered(facts(stay=open_stay(), due="2.50"))
        assert (told.phase, why(told)) == ("AwaitingPayment", None)
        press(told)
        since = shown_of(told.state).call
        assert since == Call(CallReason.BUTTON, at(0))
        told.wait(2)
        told.timer(TimerName.PAYMENT)
        assert (told.phase, shown_of(told.state).call) == ("Deciding", since)
        told.gathered(facts(stay=open_stay(), due="2.50"))
        assert (told.phase, shown_of(told.state).call) == ("AwaitingPayment", since)
        told.timer(TimerName.PAYMENT)
        told.gathered(facts(stay=open_stay(), due="0.00"))
        told.released()
        assert (told.phase, why(told)) == ("Opening", None)

    def test_just_while_it_is_looked_whether_it_was_paid(self) -> None:
        told = lane(policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT))
        told.presence(True)
        told.read()
        told.gathered(facts(stay=open_stay(), due="2.50"))
        told.timer(TimerName.PAYMENT)
        press(told)
        assert why(told) is CallReason.BUTTON
        told.gathered(facts(stay=open_stay(), due="2.50"))
        assert why(told) is CallReason.BUTTON

    def test_before_a_lane_that_is_closed(self) -> None:
        told = lane()
        operated(told, OperatorDo.LANE_CLOSE)
        told.presence(True)
        press(told)
        assert (told.phase, why(told)) == ("Closed", CallReason.BUTTON)
        told.presence(False)
        assert why(told) is None

    def test_a_ticket_is_no_call(self) -> None:
        told = unread(policy=LanePolicy(button_ticket=ButtonTicket.ADMIT))
        press(told)
        told.gathered(facts(None))
        told.admitted()
        assert (told.phase, why(told)) == ("Opening", None)

    def test_without_a_presence_loop_nobody_knows_how_long(self) -> None:
        told = lane(Direction.ENTRY, presence_loop=False)
        told.read()
        told.gathered(facts(blocked=True))
        press(told)
        assert (told.phase, why(told)) == ("Denied", None)


class TestEnds:
    def test_it_leaves(self) -> None:
        for told in (unread(), nobodys(), nobodys(NEAR)):
            told.presence(False)
            assert why(told) is None

    def test_it_is_read_at_last_and_served(self) -> None:
        told = unread()
        told.read()
        told.gathered(facts())
        told.admitted()
        assert why(told) is None

    def test_an_operator_opens(self) -> None:
        told = nobodys(NEAR)
        operated(told, OperatorDo.OPEN)
        assert (told.phase, why(told)) == ("LetThrough", None)

    def test_an_operator_matches_it(self) -> None:
        told = nobodys(NEAR)
        operated(told, OperatorDo.MATCH, NEAR.plate)
        told.gathered(facts(NEAR.plate, stay=open_stay()))
        told.released()
        assert (told.phase, why(told)) == ("Opening", None)

    def test_everybody_is_let_out(self) -> None:
        told = nobodys()
        told.tell(EvacuationChanged(told.cause(), on=True))
        assert (told.phase, why(told)) == ("Held", None)


class TestGoesOn:
    def test_while_it_is_looked_again_and_since_the_beginning(self) -> None:
        """It stands there and is read again and again: an intercom rings once."""
        told = nobodys(NEAR)
        since = shown_of(told.state).call
        told.wait(11)
        told.read()
        assert (told.phase, shown_of(told.state).call) == ("Deciding", since)
        told.gathered(facts())
        told.near(NEAR)
        assert (told.phase, shown_of(told.state).call) == ("Denied", since)

    def test_what_is_known_better_is_told_and_since_the_beginning(self) -> None:
        told = unread(Direction.EXIT)
        told.wait(5)
        told.read()
        told.gathered(facts())
        told.near(NEAR)
        assert shown_of(told.state).call == Call(CallReason.MATCH_NEEDED, at(2))

    def test_the_next_one_calls_for_itself(self) -> None:
        told = nobodys()
        told.presence(False)
        told.wait(5)
        told.presence(True)
        told.read(OTHER_CAR)
        told.gathered(facts(OTHER_CAR))
        told.near()
        assert shown_of(told.state).call == Call(CallReason.NO_ENTRY_FOUND, at(7))

    def test_without_a_presence_loop_until_somebody_else_is_read(self) -> None:
        told = lane(presence_loop=False)
        told.read()
        told.gathered(facts())
        told.near()
        told.wait(3600)
        assert shown_of(told.state).call == Call(CallReason.NO_ENTRY_FOUND, at(0))
        told.read(OTHER_CAR)
        told.gathered(facts(OTHER_CAR, stay=open_stay()))
        told.released()
        assert why(told) is None

    def test_who_leaves_while_it_is_looked_again_is_forgotten(self) -> None:
        told = nobodys(NEAR)
        told.wait(11)
        told.read()
        told.presence(False)
        assert (told.phase, why(told)) == ("Deciding", None)

    def test_the_one_behind_has_no_part_in_it(self) -> None:
        told = lane(arm_switch=True)
        told.presence(True)
        told.read()
        told.gathered(facts(stay=open_stay()))
        told.released()
        told.closing(True)
        told.arm(BarrierState.CLOSED)
        told.read(OTHER_CAR)
        assert why(told) is CallReason.ARM_DOWN_ON_VEHICLE
        told.closing(False)
        assert (told.phase, why(told)) == ("Deciding", None)


class TestStuckLoop:
    def test_who_called_before_is_not_forgotten(self) -> None:
        told = unread()
        told.wait(900)
        told.timer(TimerName.LOOP)
        assert Fault.PRESENCE_LOOP_STUCK in told.state.faults
        assert shown_of(told.state).call == Call(CallReason.PLATE_UNREAD, at(2))

    def test_it_does_not_call_again_after_each_that_passes(self) -> None:
        told = unread()
        told.state = replace(told.state, faults=frozenset({Fault.PRESENCE_LOOP_STUCK}))
        told.read()
        told.gathered(facts())
        told.admitted()
        told.closing(True)
        told.closing(False)
        told.timer(TimerName.READ)
        assert (told.phase, why(told)) == ("Denied", None)
        # A driver that is there may say so.
        press(told)
        assert why(told) is CallReason.BUTTON
        told.wait(60)
        told.read()
        told.gathered(facts())
        told.admitted()
        told.closing(True)
        told.closing(False)
        told.timer(TimerName.READ)
        assert (told.phase, why(told)) == ("Denied", None)

    def test_one_that_the_camera_sees_is_there(self) -> None:
        told = lane()
        told.presence(True)
        told.state = replace(told.state, faults=frozenset({Fault.PRESENCE_LOOP_STUCK}))
        told.unread()
        assert why(told) is CallReason.PLATE_UNREAD


def test_where_there_is_no_loop_none_is_stuck() -> None:
    told = lane(presence_loop=False)
    told.unread()
    told.wait(900)
    told.timer(TimerName.LOOP)
    assert told.state.faults == frozenset()
    assert why(told) is CallReason.PLATE_UNREAD


def test_its_words_are_those_of_the_refusals_where_there_are_such() -> None:
    shared = {reason.value for reason in CallReason} & {reason.value for reason in DenyReason}
    assert shared == {
        "plate_unread",
        "read_uncertain",
        "read_unrated",
        "no_entry_found",
        "out_of_service",
    }
