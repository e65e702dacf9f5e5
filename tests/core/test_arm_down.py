"""The arm says that it is down while a vehicle is on the closing loop: one of the two is wrong."""

import pytest

from gated.core.effects import Effect, Notice
from gated.core.events import BarrierState
from tests.core.support import OPEN_AGAIN, Told, lane_of


def granted(*, arm_switch: bool = True) -> Told:
    """A vehicle on the loop, its open command on the way, the arm down."""
    told = Told(lane_of(arm_switch=arm_switch))
    told.arm(BarrierState.CLOSED)
    told.presence(True)
    told.read()
    told.gathered()
    told.admitted()
    return told


def came_down() -> Told:
    """The arm went up for it, and came down again while it had not moved."""
    told = granted()
    told.arm(BarrierState.OPENED)
    told.arm(BarrierState.CLOSED)
    assert told.phase == "Opening"
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
