"""What happens at the worst moment: operators, fire and the hardware, while somebody is served.

Nobody is accused who was let through, nobody passes unrecorded, and nothing opens for nobody.
"""

from dataclasses import replace

from gated.core.effects import (
    Admit,
    Deny,
    Do,
    Effect,
    Fault,
    FreeKind,
    NoteFault,
    Notice,
    PassFreely,
    Release,
    SendCommand,
)
from gated.core.events import (
    AlreadyInside,
    BarrierState,
    CommandSent,
    CommandStatus,
    EvacuationChanged,
    GrantTakenOver,
    Operated,
    OperateOutcome,
    OperatorDo,
    PaymentTold,
    Request,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.ids import command_number
from gated.core.reasons import DenyReason
from gated.core.serving import withheld
from gated.core.site import Direction, LanePolicy, LaneSetup, UnpaidExit
from tests.core.support import (
    CAR,
    CORRECTED,
    OPEN,
    OPEN_AGAIN,
    OTHER_CAR,
    OTHER_STAY,
    STAY,
    ZONE_A,
    ZONE_B,
    Told,
    acts,
    facts,
    lane_of,
    open_stay,
)

REQUEST = Request("1", "olga", OperatorDo.OPEN, "a trailer")
WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)


def operated(told: Told, do: OperatorDo) -> tuple[Effect, ...]:
    """An operator's act is committed."""
    request = replace(REQUEST, do=do)
    return told.tell(Operated(told.cause(), request, OperateOutcome.DONE, None))


def through(told: Told) -> list[FreeKind]:
    """How they came through that nobody granted passage."""
    return [effect.kind for effect in told.effects if isinstance(effect, PassFreely)]


def who(told: Told) -> list[object]:
    """Who they were, as far as it is known."""
    free = [effect for effect in told.effects if isinstance(effect, PassFreely)]
    return [effect.read.plate if effect.read is not None else None for effect in free]


def exit_of(*, arm_switch: bool = False) -> Told:
    return Told(lane_of(Direction.EXIT, zones=(), arm_switch=arm_switch, policy=WAITS))


def asked_to_pay() -> Told:
    told = exit_of()
    told.presence(True)
    told.read()
    told.gathered(facts(stay=open_stay(), due="2.50"))
    assert told.phase == "AwaitingPayment"
    return told


def drives_out(told: Told) -> None:
    told.closing(True)
    told.presence(False)
    told.closing(False)


class TestHeldOpenWhileSomebodyIsDecidedOn:
    """The lane is taken out of service between the question and its answer."""

    def test_who_is_looked_up_for_a_payment_is_let_out_and_not_accused(self) -> None:
        told = asked_to_pay()
        told.tell(PaymentTold())
        assert told.phase == "Deciding"
        operated(told, OperatorDo.HOLD)
        told.gathered(facts(stay=open_stay(), due="2.50"))
        assert told.phase == "Held"
        drives_out(told)
        assert (through(told), who(told)) == ([FreeKind.HELD], [CAR])

    def test_nor_in_an_evacuation(self) -> None:
        told = exit_of()
        told.presence(True)
        told.read()
        told.tell(EvacuationChanged(told.cause(), on=True))
        told.gathered(facts(stay=open_stay(), due="2.50"))
        drives_out(told)
        assert (through(told), who(told)) == ([FreeKind.EVACUATION], [CAR])

    def test_who_is_refused_in_it_drives_out_known(self) -> None:
        told = exit_of(arm_switch=True)
        told.arm(BarrierState.CLOSED)
        told.presence(True)
        told.read()
        operated(told, OperatorDo.HOLD)
        told.gathered(facts())
        assert told.phase == "Held"
        drives_out(told)
        assert (through(told), who(told)) == ([FreeKind.HELD], [CAR])

    def test_a_lane_that_is_closed_meanwhile_serves_nobody_behind(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.read(OTHER_CAR)
        operated(told, OperatorDo.LANE_CLOSE)
        effects = told.gathered(facts(blocked=True))
        assert told.phase == "Closed"
        assert "TakeSnapshot" not in acts(effects)

    def test_a_fault_of_the_arm_ends_the_service_of_who_was_refused(self) -> None:
        told = Told(lane_of(arm_switch=True))
        told.presence(True)
        told.read()
        told.gathered(facts(blocked=True))
        told.arm(BarrierState.FAULT)
        assert told.phase == "OutOfService"
        assert "TakeSnapshot" not in acts(told.read(OTHER_CAR))


class TestHeld:
    def held(self) -> Told:
        told = exit_of()
        operated(told, OperatorDo.HOLD)
        return told

    def test_who_is_under_the_arm_when_it_is_released_is_recorded(self) -> None:
        told = self.held()
        told.presence(True)
        told.read()
        told.closing(True)
        operated(told, OperatorDo.RELEASE)
        told.presence(False)
        told.closing(False)
        assert (through(told), who(told)) == ([FreeKind.HELD], [CAR])

    def test_also_if_the_next_one_is_decided_on_by_then(self) -> None:
        told = self.held()
        told.presence(True)
        told.read()
        told.closing(True)
        told.presence(False)
        told.presence(True)
        operated(told, OperatorDo.RELEASE)
        told.read(OTHER_CAR)
        assert told.phase == "Deciding"
        told.closing(False)
        assert (through(told), who(told)) == ([FreeKind.HELD], [CAR])
        told.gathered(facts(OTHER_CAR, stay=open_stay()))
        told.released()
        assert told.phase == "Opening"

    def test_the_next_one_is_read_while_the_first_is_under_the_arm(self) -> None:
        told = self.held()
        told.presence(True)
        told.read()
        told.closing(True)
        told.presence(False)
        told.presence(True)
        told.read(OTHER_CAR)
        told.closing(False)
        told.closing(True)
        told.presence(False)
        told.closing(False)
        assert who(told) == [CAR, OTHER_CAR]

    def test_who_was_noted_and_is_there_when_it_is_released_is_decided_on(self) -> None:
        told = self.held()
        told.presence(True)
        told.read()
        operated(told, OperatorDo.RELEASE)
        assert acts(told.read()) == ["TakeSnapshot"]

    def test_who_is_read_under_the_arm_again_is_not_taken_for_the_next(self) -> None:
        told = self.held()
        told.presence(True)
        told.read()
        told.wait(60)
        told.closing(True)
        told.read(OTHER_CAR)
        told.read()
        told.closing(False)
        told.read()  # its rear
        told.closing(True)
        told.presence(False)
        told.closing(False)
        assert who(told) == [CAR, OTHER_CAR]

    def test_who_turned_back_long_ago_is_not_taken_for_the_next(self) -> None:
        told = self.held()
        told.presence(True)
        told.read()
        told.presence(False)
        told.wait(600)
        told.presence(True)
        drives_out(told)
        assert who(told) == [None]

    def test_a_crossing_from_before_is_recorded_once(self) -> None:
        told = Told()
        told.presence(True)
        told.closing(True)  # nobody granted it
        operated(told, OperatorDo.HOLD)
        told.presence(False)
        told.closing(False)
        assert len(through(told)) == 1
        assert told.state.crossing is None

    def test_who_rolled_on_before_and_back_is_not_accused(self) -> None:
        told = asked_to_pay()
        told.closing(True)
        operated(told, OperatorDo.HOLD)
        told.closing(False)
        assert through(told) == []
        drives_out(told)
        assert (through(told), who(told)) == ([FreeKind.HELD], [CAR])

    def test_an_arm_that_did_not_go_up_is_asked_again_for_whoever_comes(self) -> None:
        told = exit_of(arm_switch=True)
        told.arm(BarrierState.CLOSED)
        told.tell(EvacuationChanged(told.cause(), on=True))
        told.wait(60)
        effects = told.presence(True)
        assert [each.do for each in effects if isinstance(each, SendCommand)] == [Do.HOLD]

    def test_but_not_at_once(self) -> None:
        told = exit_of(arm_switch=True)
        told.arm(BarrierState.CLOSED)
        operated(told, OperatorDo.HOLD)
        assert "SendCommand" not in acts(told.presence(True))


class TestOpenedByHand:
    def test_for_the_next_while_the_first_is_under_the_arm(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.closing(True)
        told.presence(False)
        told.presence(True)  # the next one, whom nobody can read
        operated(told, OperatorDo.OPEN)
        told.closing(False)
        assert told.phase == "LetThrough"
        told.wait(1)
        drives_out(told)
        assert through(told) == [FreeKind.OPERATOR]

    def test_and_nobody_is_there_it_is_over_with_the_passage(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.closing(True)
        operated(told, OperatorDo.OPEN)
        told.presence(False)
        told.closing(False)
        assert told.at_rest
        assert told.state.courtesy is None

    def test_who_drives_before_the_decision_was_let_through(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        operated(told, OperatorDo.OPEN)
        told.closing(True)
        told.presence(False)
        told.gathered()
        told.closing(False)
        (passed,) = [each for each in told.effects if isinstance(each, PassFreely)]
        assert (passed.kind, passed.request) == (FreeKind.OPERATOR, REQUEST)
        assert told.state.courtesy is None

    def test_who_stands_there_and_is_read_afterwards_is_known(self) -> None:
        told = Told()
        told.presence(True)
        operated(told, OperatorDo.OPEN)
        assert acts(told.read()) == ["Settle"]
        drives_out(told)
        assert (through(told), who(told)) == ([FreeKind.OPERATOR], [CAR])

    def test_who_stops_on_the_closing_loop_is_recorded_when_it_goes_on(self) -> None:
        told = Told()
        told.presence(True)
        operated(told, OperatorDo.OPEN)
        told.closing(True)
        told.presence(False)
        told.wait(60)
        told.timer(TimerName.PASSAGE)
        told.wait(60)
        told.closing(False)
        assert through(told) == [FreeKind.OPERATOR]

    def test_who_was_on_the_closing_loop_already_is_not_accused(self) -> None:
        """Refused, it rolled on as far as the arm: the operator sees it and opens."""
        told = Told(lane_of(arm_switch=True))
        told.arm(BarrierState.CLOSED)
        told.presence(True)
        told.read()
        told.gathered(facts(blocked=True))
        told.closing(True)
        operated(told, OperatorDo.OPEN)
        told.presence(False)
        told.closing(False)
        assert (through(told), who(told)) == ([FreeKind.OPERATOR], [CAR])

    def test_an_arm_that_goes_up_while_it_is_decided_is_not_forced(self) -> None:
        told = Told(lane_of(arm_switch=True))
        told.presence(True)
        told.read()
        operated(told, OperatorDo.OPEN)
        told.arm(BarrierState.OPENED)
        assert Fault.ARM_FORCED not in told.state.faults


class TestRolledOnAndBack:
    """Onto the closing loop and back, and on the presence loop all the while: no passage."""

    def test_who_was_refused_is_not_accused(self) -> None:
        told = Told(lane_of(arm_switch=True))
        told.arm(BarrierState.CLOSED)
        told.presence(True)
        told.read()
        told.gathered(facts(blocked=True))
        told.closing(True)
        told.closing(False)
        told.presence(False)
        assert through(told) == []

    def test_who_was_asked_to_pay_is_not_accused(self) -> None:
        told = asked_to_pay()
        told.closing(True)
        told.closing(False)
        told.presence(False)
        told.wait(6)
        told.timer(TimerName.PAYMENT)
        assert told.at_rest
        assert through(told) == []

    def test_while_it_is_decided_on_it_is_granted_all_the_same(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.closing(True)
        told.closing(False)
        told.gathered()
        told.admitted()
        assert told.phase == "Opening"

    def test_a_long_one_behind_another_is_recorded_while_a_third_is_decided_on(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.closing(True)
        told.closing(False)
        told.wait(1)
        told.closing(True)
        told.wait(5)
        told.read(OTHER_CAR)
        assert told.phase == "Deciding"
        told.closing(False)
        assert through(told) == [FreeKind.UNEXPLAINED]

    def test_behind_another_it_is_recorded_but_not_accused(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.closing(True)
        told.presence(False)
        told.presence(True)
        told.closing(False)
        told.wait(1)
        told.closing(True)
        told.closing(False)  # a third one close behind, or back again
        assert through(told) == [FreeKind.UNEXPLAINED]

    def test_who_was_granted_it_and_is_not_gone_is_not_accused_when_it_goes(self) -> None:
        """It had rolled back, or somebody came over the closing loop from outside."""
        told = Told(lane_of(arm_switch=True))
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.arm(BarrierState.OPENED)
        told.closing(True)
        told.closing(False)
        told.wait(2)
        drives_out(told)
        assert through(told) == [FreeKind.UNEXPLAINED]


class TestTrailer:
    """A gap on the closing loop, and nobody has driven onto the presence loop since."""

    def through_its_front(self, *, direction: Direction = Direction.ENTRY) -> Told:
        told = Told(lane_of(direction, zones=() if direction is Direction.EXIT else (ZONE_A,)))
        told.presence(True)
        told.read()
        if direction is Direction.EXIT:
            told.gathered(facts(stay=open_stay()))
            told.released()
        else:
            told.gathered()
            told.admitted()
        told.closing(True)
        return told

    def test_who_is_decided_on_behind_it_is_not_taken_for_it(self) -> None:
        told = self.through_its_front(direction=Direction.EXIT)
        told.read(OTHER_CAR)
        told.closing(False)
        assert told.phase == "Deciding"
        told.wait(0.3)
        told.closing(True)
        told.gathered(facts(OTHER_CAR, stay=open_stay(stay=OTHER_STAY)))
        told.released(stay=OTHER_STAY, command=OPEN_AGAIN)
        told.presence(False)
        told.presence(True)
        told.closing(False)
        assert through(told) == []
        drives_out(told.wait(3))
        event = told.state.passed_last
        assert event is not None
        assert event.stay == OTHER_STAY

    def test_who_is_granted_it_already_neither(self) -> None:
        told = self.through_its_front()
        told.read(OTHER_CAR)
        told.closing(False)
        told.gathered(facts(OTHER_CAR))
        told.admitted(stay=OTHER_STAY, command=OPEN_AGAIN)
        told.wait(0.3)
        told.closing(True)
        assert told.phase == "Opening"
        effects = told.closing(False)
        assert Notice("trailer_assumed", told.last) in effects
        assert through(told) == []

    def test_who_was_let_through_by_hand_behind_it_neither(self) -> None:
        told = self.through_its_front()
        operated(told, OperatorDo.OPEN)
        told.closing(False)
        assert told.phase == "LetThrough"
        told.wait(0.3)
        told.closing(True)
        told.closing(False)
        assert told.phase == "LetThrough"
        told.presence(False)
        told.presence(True)
        drives_out(told.wait(3))
        assert through(told) == [FreeKind.OPERATOR]

    def test_a_second_gap_is_bridged_too(self) -> None:
        told = self.through_its_front()
        for _ in range(2):
            told.closing(False)
            told.wait(0.4)
            told.closing(True)
            told.wait(3)
        told.closing(False)
        assert through(told) == []

    def test_whoever_drove_onto_the_presence_loop_since_is_no_trailer(self) -> None:
        told = self.through_its_front()
        told.presence(False)
        told.closing(False)
        told.presence(True)
        told.wait(0.3)
        drives_out(told)
        assert through(told) == [FreeKind.TAILGATING]

    def test_a_lane_that_is_held_open_meanwhile_does_not_count_it(self) -> None:
        told = self.through_its_front()
        told.closing(False)
        told.wait(0.3)
        told.closing(True)
        operated(told, OperatorDo.HOLD)
        told.closing(False)
        assert through(told) == []


class TestGoneBeforeTheAnswer:
    def test_who_paid_and_backed_off_is_not_opened_for(self) -> None:
        told = asked_to_pay()
        told.tell(PaymentTold())
        told.presence(False)
        effects = told.gathered(facts(stay=open_stay()))
        assert not [each for each in effects if isinstance(each, Release)]
        effects = told.timer(TimerName.PAYMENT)
        assert [each for each in effects if isinstance(each, Deny)]
        assert told.at_rest

    def test_nor_at_an_entry(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.presence(False)
        effects = told.gathered()
        assert not [each for each in effects if isinstance(each, Admit)]
        assert told.phase == "Approached"
        assert acts(told.presence(True)) == ["TakeSnapshot", "Settle"]


class TestArmThatRepeatsItself:
    def test_closed_again_does_not_mend_one_that_did_not_open(self) -> None:
        told = Told(lane_of(arm_switch=True, policy=LanePolicy(open_tries_max=1)))
        told.arm(BarrierState.CLOSED)
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.wait(8)
        told.timer(TimerName.OPENING)
        assert told.phase == "OutOfService"
        told.arm(BarrierState.CLOSED)
        assert told.phase == "OutOfService"
        told.arm(BarrierState.OPENED)
        assert told.phase == "Occupied"

    def test_closed_after_a_fault_does(self) -> None:
        told = Told(lane_of(arm_switch=True))
        told.arm(BarrierState.CLOSED)
        told.arm(BarrierState.FAULT)
        assert told.phase == "OutOfService"
        told.arm(BarrierState.CLOSED)
        assert told.phase == "Idle"

    def test_open_still_is_not_forced(self) -> None:
        told = Told(lane_of(arm_switch=True))
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.arm(BarrierState.OPENED)
        told.closing(True)
        told.presence(False)
        told.closing(False)
        told.presence(True)
        told.read(OTHER_CAR)
        told.arm(BarrierState.OPENED)
        assert not [each for each in told.effects if isinstance(each, NoteFault)]
        assert Notice("opened_without_grant", told.last) not in told.effects


class TestLostReports:
    def test_of_a_cleared_loop_the_next_one_is_not_taken_for_backed_out(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.closing(True)
        told.presence(False)
        told.wait(60)
        told.timer(TimerName.PASSAGE)  # its "off" was lost
        told.presence(True)
        told.read(OTHER_CAR)
        told.gathered(facts(OTHER_CAR))
        told.admitted()
        told.closing(True)
        told.presence(False)
        told.closing(False)
        assert "CancelAdmission" not in acts(told.effects)
        assert acts(told.effects).count("CompletePassage") == 2


# ── a lane that is shut while it decides ────────────────────────────────────────────────────


def deciding(lane: LaneSetup) -> Told:
    told = Told(lane)
    told.presence(True)
    told.read()
    return told


def evacuated(told: Told) -> None:
    told.tell(EvacuationChanged(told.cause(), on=True))


def refused(effects: tuple[Effect, ...]) -> list[tuple[DenyReason, bool]]:
    return [(effect.reason, effect.show) for effect in effects if isinstance(effect, Deny)]


def test_an_entry_that_is_shut_asks_for_no_other_zone() -> None:
    told = deciding(lane_of(zones=(ZONE_A, ZONE_B)))
    told.gathered()
    evacuated(told)
    effects = told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.FULL))
    assert refused(effects) == [(DenyReason.EVACUATION, True)]
    assert acts(effects) == ["Deny"]
    assert told.phase == "Closed"


def test_what_an_exit_releases_before_an_arm_that_broke_is_taken_back() -> None:
    told = deciding(lane_of(Direction.EXIT, zones=(), arm_switch=True))
    told.gathered(facts(stay=open_stay()))
    told.arm(BarrierState.FAULT)
    assert withheld(told.lane, told.state) is DenyReason.OUT_OF_SERVICE
    effects = told.released()
    assert acts(effects) == ["SendCommand", "ResumeStay", "Notice"]
    assert [one.do for one in effects if isinstance(one, SendCommand)] == [Do.DENY]
    assert told.phase == "OutOfService"


def test_who_has_backed_off_meanwhile_is_told_nothing() -> None:
    told = deciding(lane_of())
    told.gathered()
    evacuated(told)
    told.presence(False)
    assert acts(told.admitted()) == ["CancelAdmission"]


def test_what_may_be_on_its_way_already_is_served_to_the_end() -> None:
    # By an opening of before, whose fate nobody knows;
    told = deciding(lane_of())
    told.gathered()
    told.admitted()
    told.ended(CommandStatus.UNKNOWN)
    told.read()
    told.gathered()
    evacuated(told)
    assert acts(told.admitted(command=OPEN_AGAIN)) == []
    assert told.phase == "Opening"
    # by an operator's;
    told = deciding(lane_of())
    told.gathered()
    operated(told, OperatorDo.OPEN)
    evacuated(told)
    assert acts(told.admitted()) == []
    assert told.phase == "Opening"
    # and whoever is on the closing loop.
    told = deciding(lane_of())
    told.gathered()
    told.closing(True)
    evacuated(told)
    assert acts(told.admitted()) == []
    assert told.phase == "Passing"


def test_whom_an_opening_of_before_may_let_in_is_awaited_though_it_is_refused() -> None:
    told = deciding(lane_of())
    told.gathered()
    told.admitted()
    told.ended(CommandStatus.UNKNOWN)
    told.read()
    evacuated(told)
    assert refused(told.gathered()) == [(DenyReason.EVACUATION, True)]
    assert told.phase == "Opening"


def test_an_exit_that_stands_open_lets_go_whom_it_has_released() -> None:
    told = deciding(lane_of(Direction.EXIT, zones=(), arm_switch=True))
    told.gathered(facts(stay=open_stay()))
    told.arm(BarrierState.FAULT)
    evacuated(told)
    assert withheld(told.lane, told.state) is None
    assert acts(told.released()) == []
    assert told.phase == "Opening"


def test_an_arm_that_goes_up_late_at_a_shut_entry_is_told_of() -> None:
    told = deciding(lane_of())
    told.gathered()
    evacuated(told)
    told.admitted()
    effects = told.arm(BarrierState.OPENED, command_number(OPEN))
    assert Notice("opened_without_grant", told.last, "late") in effects


# ── let in at another entry ─────────────────────────────────────────────────────────────────


def let_in() -> Told:
    told = deciding(lane_of())
    told.gathered()
    told.admitted()
    return told


def test_whom_another_entry_has_let_in_is_awaited_no_more_and_nothing_is_undone() -> None:
    told = let_in()
    told.presence(False)
    assert acts(told.tell(GrantTakenOver(OTHER_STAY))) == []
    assert told.phase == "Opening"
    assert acts(told.tell(GrantTakenOver(STAY))) == []
    assert told.phase == "Idle"
    # Its opening was for nobody here; and it may come back and be decided on.
    told.arm(BarrierState.OPENED, command_number(OPEN))
    assert Notice("opened_without_grant", told.last, "late") in told.effects
    told.presence(True)
    assert acts(told.read()) == ["TakeSnapshot"]


def test_who_is_under_the_arm_in_its_place_is_somebody_else() -> None:
    told = let_in()
    told.presence(False)
    told.closing(True)
    assert acts(told.tell(GrantTakenOver(STAY))) == []
    told.closing(False)
    assert (through(told), who(told)) == ([FreeKind.UNEXPLAINED], [None])
    assert "CompletePassage" not in acts(told.effects)


def test_who_is_decided_on_anew_here_has_no_grant_of_before_any_more() -> None:
    told = let_in()
    told.ended(CommandStatus.UNKNOWN)
    told.read()
    told.tell(GrantTakenOver(STAY))
    told.tell(AlreadyInside(told.deciding_cause))
    assert told.denied == CAR


class TestAnotherTakesItsPlace:
    """Granted, it turns back; the arm is up, and the next one drives onto the presence loop."""

    def turned_back(self, seconds: float = 3) -> Told:
        told = Told()
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.presence(False)
        told.wait(seconds)
        told.presence(True)
        return told

    def test_a_sure_read_of_it_undoes_the_grant_and_is_decided_on(self) -> None:
        told = self.turned_back()
        assert acts(told.read(OTHER_CAR)) == ["CancelAdmission", "TakeSnapshot"]
        assert told.phase == "Deciding"

    def test_who_drives_on_while_it_is_decided_on_is_not_accused(self) -> None:
        told = self.turned_back()
        told.read(OTHER_CAR)
        drives_out(told)
        told.gathered(facts(OTHER_CAR))
        assert (through(told), who(told)) == ([FreeKind.UNEXPLAINED], [OTHER_CAR])

    def test_without_a_closing_loop_the_first_one_has_more_likely_passed(self) -> None:
        told = Told(lane_of(closing_loop=False, arm_switch=True))
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.arm(BarrierState.OPENED)
        told.presence(False)
        told.wait(3)
        told.presence(True)
        assert acts(told.read(OTHER_CAR)) == []
        assert told.phase == "Open"

    def test_one_that_may_be_the_first_one_misread_waits(self) -> None:
        told = self.turned_back()
        told.read(CORRECTED)
        assert told.phase == "Opening"

    def test_one_that_is_not_sure_waits(self) -> None:
        told = self.turned_back()
        policy = LanePolicy(consensus_reads_min=2, read_confidence_sure=0.99)
        told.lane = replace(told.lane, policy=policy)
        told.read(OTHER_CAR)
        assert told.phase == "Opening"

    def test_a_late_word_of_who_was_read_before_is_not_of_whom_stands_there(self) -> None:
        told = self.turned_back()
        told.read(OTHER_CAR, age=4)
        assert told.phase == "Opening"

    def test_the_next_one_behind_it_waits_if_it_is_under_the_arm(self) -> None:
        told = self.turned_back()
        told.closing(True)
        told.presence(False)
        told.presence(True)
        told.read(OTHER_CAR)
        assert told.phase == "Passing"


# ── an arm that is asked once more ──────────────────────────────────────────────────────────


def test_a_read_while_the_arm_is_asked_once_more_asks_for_nothing_else() -> None:
    told = deciding(lane_of(arm_switch=True))
    told.gathered()
    told.admitted()
    told.wait(8)
    assert "SendCommand" in acts(told.timer(TimerName.OPENING))
    told.wait(5)
    assert acts(told.read()) == ["Settle"]
    assert told.phase == "Opening"
    told.tell(CommandSent(OPEN_AGAIN, STAY))
    assert acts(told.read()) == ["Settle"]
    # Once that command is dead, a read is decided anew.
    told.ended(CommandStatus.UNKNOWN, OPEN_AGAIN)
    told.wait(11)
    assert acts(told.read()) == ["TakeSnapshot"]
