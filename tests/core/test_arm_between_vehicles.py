"""A vehicle is granted while the arm, which tells, is still up for the one before."""

from gated.core.effects import CancelAdmission, Do, Fault, NoteFault, SendCommand, Settle
from gated.core.events import BarrierState, CommandSent, TimerName
from gated.core.ids import StayId, command_number
from gated.core.phases import Open, Opening
from tests.core.support import (
    OPEN,
    OPEN_AGAIN,
    OTHER_CAR,
    OTHER_STAY,
    Told,
    facts,
    lane_of,
    started,
)


def next_one_granted() -> Told:
    """The first is through; the second is let in, and the arm has not come down between them."""
    told = Told(lane_of(arm_switch=True))
    told.presence(True)
    told.read()
    told.gathered()
    told.admitted()
    told.arm(BarrierState.OPENED, command_number(OPEN))
    told.closing(True)
    told.presence(False)
    told.closing(False)
    assert told.phase == "Closing"
    told.presence(True)
    told.read(OTHER_CAR)
    told.gathered(facts(OTHER_CAR))
    told.admitted(stay=OTHER_STAY, command=OPEN_AGAIN)
    assert told.phase == "Open"
    return told


def sent(effects: tuple[object, ...]) -> list[tuple[Do, StayId | None]]:
    return [(one.do, one.stay) for one in effects if isinstance(one, SendCommand)]


def test_an_arm_that_comes_down_behind_the_first_may_go_up_for_the_second() -> None:
    told = next_one_granted()
    before = told.state.phase
    assert isinstance(before, Open)
    opening, opened = Opening(before.grant), Open(before.grant)
    assert started(told.arm(BarrierState.CLOSED)) == {TimerName.OPENING: 8.0}
    assert [told.state.phase] == [opening]
    told.arm(BarrierState.OPENED, command_number(OPEN_AGAIN))
    assert [told.state.phase] == [opened]


def test_an_arm_that_stays_down_is_asked_again_and_is_then_out_of_service() -> None:
    told = next_one_granted()
    told.arm(BarrierState.CLOSED)
    assert sent(told.wait(8).timer(TimerName.OPENING)) == [(Do.OPEN, OTHER_STAY)]
    told.tell(CommandSent(OPEN, OTHER_STAY))
    effects = told.wait(8).timer(TimerName.OPENING)
    assert NoteFault(Fault.ARM_STUCK, True, told.now) in effects
    assert any(isinstance(one, CancelAdmission) and one.stay == OTHER_STAY for one in effects)
    assert sent(effects) == [(Do.DENY, None)]
    assert told.phase == "OutOfService"


def test_an_arm_that_answered_and_came_down_before_the_vehicle_is_asked_once_more() -> None:
    told = next_one_granted()
    told.arm(BarrierState.OPENED, command_number(OPEN_AGAIN))
    assert sent(told.arm(BarrierState.CLOSED)) == [(Do.OPEN, OTHER_STAY)]
    assert told.phase == "Opening"


def test_an_arm_that_went_up_for_another_reason_has_not_answered() -> None:
    told = next_one_granted()
    told.arm(BarrierState.OPENED, command_number(OPEN))
    told.arm(BarrierState.CLOSED)
    phase = told.state.phase
    assert isinstance(phase, Opening)
    assert phase.grant.command == OPEN_AGAIN


def test_without_a_presence_loop_its_command_may_be_on_the_way_as_well() -> None:
    """A read of it does not have it opened for twice."""
    told = Told(lane_of(arm_switch=True, presence_loop=False))
    told.arm(BarrierState.OPENED)
    told.read()
    told.gathered()
    told.admitted()
    assert told.phase == "Open"
    told.arm(BarrierState.CLOSED)
    assert [type(one) for one in told.wait(1).read()] == [Settle]
    told.arm(BarrierState.OPENED, command_number(OPEN))
    assert told.phase == "Open"


def test_who_has_gone_meanwhile_is_given_up_as_ever() -> None:
    told = next_one_granted()
    told.presence(False)
    told.arm(BarrierState.CLOSED)
    effects = told.wait(6).timer(TimerName.PASSAGE)
    cancelled = [one.stay for one in effects if isinstance(one, CancelAdmission)]
    assert cancelled == [OTHER_STAY]
