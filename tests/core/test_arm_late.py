"""The arm goes up when its vehicle has been given up: who drives in then is of no transaction."""

import pytest

from gated.core.effects import CancelAdmission, Effect, NoteCommand, NoteFault, Notice
from gated.core.events import BarrierState, CommandSent, CommandStatus, TimerName
from gated.core.ids import CommandId, command_number
from tests.core.support import OPEN, OPEN_AGAIN, STAY, Told, lane_of


def granted(*, arm_switch: bool = True) -> Told:
    """A vehicle on the loop, its open command on the way, the arm down."""
    told = Told(lane_of(arm_switch=arm_switch))
    if arm_switch:
        told.arm(BarrierState.CLOSED)
    told.presence(True)
    told.read()
    told.gathered()
    told.admitted()
    return told


def given_up(status: CommandStatus, *, arm_switch: bool = True) -> Told:
    """Its command came to nothing, and the admission is cancelled."""
    told = granted(arm_switch=arm_switch)
    assert CancelAdmission in map(type, told.ended(status))
    return told


def broken() -> Told:
    """The arm did not go up, asked twice: the lane is out of service."""
    told = granted()
    told.wait(8).timer(TimerName.OPENING)
    told.tell(CommandSent(OPEN_AGAIN, STAY))
    told.wait(8).timer(TimerName.OPENING)
    assert told.phase == "OutOfService"
    return told


def leaks(effects: tuple[Effect, ...]) -> list[Notice]:
    return [
        one for one in effects if isinstance(one, Notice) and one.name == "opened_without_grant"
    ]


@pytest.mark.parametrize("status", [CommandStatus.EXPIRED, CommandStatus.FAILED])
@pytest.mark.parametrize("arm_switch", [True, False])
def test_by_the_command_of_a_cancelled_admission_it_is_a_leak_and_no_force(
    status: CommandStatus, arm_switch: bool
) -> None:
    told = given_up(status, arm_switch=arm_switch)
    effects = told.arm(BarrierState.OPENED, command_number(OPEN))
    assert NoteCommand(OPEN, CommandStatus.CONFIRMED, None) in effects
    assert leaks(effects) == [Notice("opened_without_grant", told.last, "late")]
    assert NoteFault not in map(type, effects)


@pytest.mark.parametrize("arm_switch", [True, False])
def test_it_is_counted_once_however_often_the_arm_says_so(arm_switch: bool) -> None:
    told = given_up(CommandStatus.EXPIRED, arm_switch=arm_switch)
    told.arm(BarrierState.OPENED, command_number(OPEN))
    assert leaks(told.arm(BarrierState.OPENED, command_number(OPEN))) == []


def test_of_unknown_fate_it_is_a_leak_when_the_vehicle_has_gone() -> None:
    told = granted(arm_switch=False)
    told.ended(CommandStatus.UNKNOWN)
    told.presence(False)
    assert CancelAdmission in map(type, told.wait(6).timer(TimerName.PASSAGE))
    effects = told.arm(BarrierState.OPENED, command_number(OPEN))
    assert leaks(effects) == [Notice("opened_without_grant", told.last, "late")]


def test_of_a_vehicle_that_is_through_it_is_none() -> None:
    told = granted(arm_switch=False)
    told.closing(True)
    told.presence(False)
    told.closing(False)
    assert leaks(told.arm(BarrierState.OPENED, command_number(OPEN))) == []


def test_for_a_vehicle_that_is_granted_anew_it_is_none() -> None:
    told = given_up(CommandStatus.EXPIRED)
    told.read()
    told.gathered()
    told.admitted(command=OPEN_AGAIN)
    assert leaks(told.arm(BarrierState.OPENED, command_number(OPEN))) == []


@pytest.mark.parametrize("command", [None, OPEN, OPEN_AGAIN])
def test_a_broken_arm_that_goes_up_is_a_leak_and_in_service(command: CommandId | None) -> None:
    told = broken()
    number = None if command is None else command_number(command)
    effects = told.arm(BarrierState.OPENED, number)
    assert leaks(effects) == [Notice("opened_without_grant", told.last, "late")]
    confirmed = [one.command for one in effects if isinstance(one, NoteCommand)]
    assert confirmed == ([] if command is None else [command])
    assert told.at_rest


def test_a_broken_arm_that_comes_down_is_none() -> None:
    told = broken()
    told.arm(BarrierState.MOVING)
    assert leaks(told.arm(BarrierState.CLOSED)) == []
    assert told.at_rest


def test_a_broken_arm_that_says_the_same_again_is_none() -> None:
    told = Told(lane_of(arm_switch=True))
    told.arm(BarrierState.FAULT)
    told.arm(BarrierState.OPENED)
    assert leaks(tuple(told.effects)) == [Notice("opened_without_grant", told.last, "late")]
    assert leaks(told.arm(BarrierState.OPENED)) == []
