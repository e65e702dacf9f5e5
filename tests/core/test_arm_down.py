"""The arm says that it is down while a vehicle is on the closing loop: one of the two is wrong."""

from dataclasses import replace

import pytest

from gated.core.effects import Do, Effect, Fault, Notice, SendCommand
from gated.core.events import BarrierState, CommandSent, EvacuationChanged, TimerName
from gated.core.lane import Call, shown_of
from gated.core.reasons import CallReason
from tests.core.support import OPEN_AGAIN, STAY, Told, cause_of, kinds, lane_of, started


def granted(*, arm_switch: bool = True, closing_loop: bool = True) -> Told:
    """A vehicle on the loop, its open command on the way, the arm down."""
    told = Told(lane_of(arm_switch=arm_switch, closing_loop=closing_loop))
    told.arm(BarrierState.CLOSED)
    told.presence(True)
    told.read()
    told.gathered()
    told.admitted()
    return told


def came_down() -> Told:
    """The arm went up for it twice, and came down again while it had not moved."""
    told = granted()
    told.arm(BarrierState.OPENED)
    told.arm(BarrierState.CLOSED)
    told.tell(CommandSent(OPEN_AGAIN, STAY))
    told.arm(BarrierState.OPENED)
    told.arm(BarrierState.CLOSED)
    assert told.phase == "Opening"
    assert shown_of(told.state).call == Call(CallReason.VEHICLE_NOT_MOVING, told.now)
    return told


def told_of(effects: tuple[Effect, ...]) -> list[Notice]:
    return [one for one in effects if isinstance(one, Notice) and one.name == "arm_down_on_vehicle"]


def test_in_the_middle_of_its_passage_it_is_told() -> None:
    told = granted()
    told.arm(BarrierState.OPENED)
    told.closing(True)
    assert told_of(told.arm(BarrierState.CLOSED)) == [Notice("arm_down_on_vehicle", told.last)]
    assert told.phase == "Passing"


def test_before_it_reached_the_closing_loop_it_is_told_when_it_does() -> None:
    told = came_down()
    assert told_of(told.closing(True)) == [Notice("arm_down_on_vehicle", told.last)]
    assert told.phase == "Passing"


def test_also_if_it_is_being_decided_on_anew() -> None:
    told = came_down()
    told.read()
    assert told.phase == "Deciding"
    assert told_of(told.closing(True)) == [Notice("arm_down_on_vehicle", told.last)]


def test_where_the_arm_has_not_told_of_going_up_yet_it_is_none() -> None:
    told = granted()
    assert told_of(told.closing(True)) == []
    assert told.phase == "Passing"


def test_nor_where_it_is_up_again() -> None:
    told = came_down()
    told.arm(BarrierState.OPENED)
    assert told_of(told.closing(True)) == []


def test_nor_once_it_is_granted_anew_until_the_arm_moves() -> None:
    told = came_down()
    told.read()
    told.gathered()
    told.admitted(command=OPEN_AGAIN)
    assert told_of(told.closing(True)) == []


@pytest.mark.parametrize("state", [BarrierState.OPENED, BarrierState.MOVING])
def test_nor_while_it_is_up_or_moves(state: BarrierState) -> None:
    told = granted()
    told.arm(BarrierState.OPENED)
    told.arm(state)
    assert told_of(told.closing(True)) == []


# ── before a vehicle that hesitates ─────────────────────────────────────────────────────────


def opened(*, closing_loop: bool = True) -> Told:
    """The arm is up for a vehicle that does not move."""
    told = granted(closing_loop=closing_loop)
    told.arm(BarrierState.OPENED)
    told.wait(25)
    return told


def asked_again(effects: tuple[Effect, ...]) -> list[str]:
    return [one.reason for one in effects if isinstance(one, SendCommand) and one.do is Do.OPEN]


def test_it_is_asked_once_more_for_the_same_one() -> None:
    told = opened()
    effects = told.arm(BarrierState.CLOSED)
    assert asked_again(effects) == ["arm_came_down"]
    assert Notice("arm_came_down", told.last) in effects
    assert started(effects) == {TimerName.OPENING: 8.0}
    assert shown_of(told.state).call is None
    told.tell(CommandSent(OPEN_AGAIN, STAY))
    # Its plate, read again, brings nothing new.
    assert asked_again(told.read()) == []
    assert told.phase == "Opening"
    told.arm(BarrierState.OPENED)
    assert told.phase == "Open"
    told.closing(True)
    told.presence(False)
    assert "CompletePassage" in kinds(told.closing(False))


def test_but_only_once() -> None:
    told = opened()
    told.arm(BarrierState.CLOSED)
    told.tell(CommandSent(OPEN_AGAIN, STAY))
    told.arm(BarrierState.OPENED)
    assert asked_again(told.arm(BarrierState.CLOSED)) == []
    assert shown_of(told.state).call == Call(CallReason.VEHICLE_NOT_MOVING, told.now)


def test_one_that_may_be_another_is_not_opened_for() -> None:
    told = opened()
    told.presence(False)
    told.wait(2)
    told.presence(True)
    assert asked_again(told.arm(BarrierState.CLOSED)) == []
    assert shown_of(told.state).call == Call(CallReason.VEHICLE_NOT_MOVING, told.now)


def test_nor_where_no_loop_tells_who_is_through() -> None:
    assert asked_again(opened(closing_loop=False).arm(BarrierState.CLOSED)) == []


def test_nor_where_that_loop_is_silent() -> None:
    told = opened()
    told.state = replace(told.state, faults=frozenset({Fault.CLOSING_LOOP_SILENT}))
    assert asked_again(told.arm(BarrierState.CLOSED)) == []


def test_nor_into_a_car_park_that_is_evacuated() -> None:
    told = opened()
    told.tell(EvacuationChanged(cause_of(90), on=True))
    assert asked_again(told.arm(BarrierState.CLOSED)) == []
