"""A lane that is to stand open, and whose barrier cannot be told to stay up: a bare relay."""

from dataclasses import replace

import pytest

from gated.core.effects import Do, Effect, Notice, Operate, SendCommand
from gated.core.events import (
    BarrierState,
    DecisionFailed,
    EvacuationChanged,
    OperatorDo,
    Request,
    Requested,
)
from gated.core.lane import LaneState
from gated.core.phases import Idle
from gated.core.site import Direction
from gated.core.snapshot import LaneMode
from tests.core.support import CAR, OTHER_CAR, START, Told, facts, lane_of, open_stay

OLD = 3600.0


def relay(*, holds: bool = False, presence_loop: bool = True, closing_loop: bool = True) -> Told:
    return Told(
        lane_of(Direction.EXIT, presence_loop=presence_loop, closing_loop=closing_loop, holds=holds)
    )


def evacuated(told: Told, *, on: bool = True) -> tuple[Effect, ...]:
    return told.tell(EvacuationChanged(told.cause(), on))


def ordered(effects: tuple[Effect, ...]) -> list[tuple[Do, str]]:
    return [(one.do, one.reason) for one in effects if isinstance(one, SendCommand)]


OPENED = [(Do.OPEN, "evacuation")]


def test_it_is_said_once_and_nothing_opens_for_nobody() -> None:
    told = relay()
    effects = evacuated(told)
    assert [one for one in effects if isinstance(one, Notice)] == [
        Notice("hold_not_supported", told.last)
    ]
    assert (told.phase, ordered(effects)) == ("Held", [])
    assert evacuated(told) == ()


def test_whoever_stands_there_already_is_opened_for() -> None:
    told = relay()
    told.presence(True)
    assert ordered(evacuated(told)) == OPENED


@pytest.mark.parametrize("presence_loop", [True, False])
def test_whoever_is_being_decided_on_and_refused_is_opened_for_all_the_same(
    *, presence_loop: bool
) -> None:
    for fails in (False, True):
        told = relay(presence_loop=presence_loop)
        if presence_loop:
            told.presence(True)
        told.read()
        assert ordered(evacuated(told)) == []
        failed = DecisionFailed(told.deciding_cause, "gone")
        assert ordered(told.tell(failed) if fails else told.gathered(facts())) == OPENED


def test_the_one_behind_a_vehicle_that_is_let_out_is_opened_for() -> None:
    told = relay()
    told.presence(True)
    told.read()
    told.gathered(facts(stay=open_stay()))
    told.released()
    told.closing(True)
    assert told.phase == "Passing"
    assert ordered(evacuated(told)) == []
    assert ordered(told.closing(False)) == OPENED


def test_each_that_drives_onto_the_presence_loop_is_opened_for_once() -> None:
    told = relay()
    evacuated(told)
    for plate in (CAR, OTHER_CAR):
        assert ordered(told.presence(True)) == OPENED
        # The box says so again, and the camera reads it.
        assert ordered((*told.presence(True), *told.read(plate))) == []
        told.closing(True)
        assert ordered((*told.presence(False), *told.closing(False))) == []


def test_a_late_report_opens_nothing() -> None:
    told = relay()
    evacuated(told)
    assert ordered(told.presence(True, age=OLD)) == []


def test_the_next_one_close_behind_is_opened_for() -> None:
    told = relay()
    evacuated(told)
    told.presence(True)
    told.closing(True)
    assert ordered(told.closing(False)) == OPENED


def test_an_arm_that_comes_down_before_a_vehicle_goes_up_again() -> None:
    told = relay()
    evacuated(told)
    told.arm(BarrierState.OPENED)
    assert ordered(told.arm(BarrierState.CLOSED)) == []
    told.presence(True)
    told.arm(BarrierState.OPENED)
    assert ordered(told.arm(BarrierState.CLOSED)) == OPENED
    assert ordered(told.arm(BarrierState.CLOSED)) == []


@pytest.mark.parametrize("closing_loop", [True, False])
def test_without_a_presence_loop_each_that_is_seen_is_opened_for(*, closing_loop: bool) -> None:
    told = relay(presence_loop=False, closing_loop=closing_loop)
    assert ordered(evacuated(told)) == []
    assert ordered(told.read()) == OPENED
    assert ordered(told.read()) == []
    assert ordered(told.read(OTHER_CAR, confidence=0.1)) == OPENED
    assert ordered(told.unread()) == OPENED
    assert ordered(told.unread(age=OLD)) == []


def test_without_a_presence_loop_who_was_refused_there_is_opened_for() -> None:
    told = relay(presence_loop=False)
    told.read()
    told.gathered(facts())
    told.near()
    assert told.phase == "Denied"
    assert ordered(evacuated(told)) == OPENED


def test_its_end_releases_nothing_that_was_not_held() -> None:
    told = relay()
    evacuated(told)
    assert ordered(evacuated(told, on=False)) == []
    assert isinstance(told.state.phase, Idle)


def test_a_barrier_that_can_be_held_is_held_and_opened_for_nobody() -> None:
    told = relay(holds=True)
    told.presence(True)
    assert ordered(evacuated(told)) == [(Do.HOLD, "evacuation")]
    told.closing(True)
    assert ordered((*told.presence(False), *told.closing(False), *told.presence(True))) == []


@pytest.mark.parametrize("do", [OperatorDo.RELEASE, OperatorDo.LANE_OPEN, OperatorDo.LANE_CLOSE])
def test_a_relay_put_in_the_place_of_a_barrier_that_was_held_can_be_released(
    do: OperatorDo,
) -> None:
    told = relay()
    told.state = replace(LaneState(since=START), mode=LaneMode.HELD)
    cause = told.cause()
    request = Request("1", "ada", do, "swapped", told.lane.id)
    assert told.tell(Requested(cause, request)) == (Operate(cause, request, None, None),)
