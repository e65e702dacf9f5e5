"""Reads that are no plates: fragments and what a camera writes into its picture."""

import pytest

from gated.core.effects import Outcome, Settle
from gated.core.plates import Plate
from gated.core.site import LanePolicy
from tests.core.support import CAR, Told, kinds, lane_of

POLICY = LanePolicy(
    reads_ignored=("CAM*", "ENTRANCE1", "*TAXI*"), read_length_min=4, read_length_max=8
)


@pytest.mark.parametrize("text", ["CAM03", "CAM", "ENTRANCE1", "XTAXI9", "ABC", "HHAB12345"])
def test_it_is_recorded_as_ignored_and_shown_to_nobody(text: str) -> None:
    told = Told(lane_of(policy=POLICY))
    told.presence(True)
    assert told.read(Plate(text)) == (Settle(told.last, Outcome.IGNORED),)
    assert told.at_rest
    assert told.state.seen == ()


@pytest.mark.parametrize("text", ["ENTRANC1", "HHCAM1", "ABCD", "HHAB1234"])
def test_a_plate_is_none_of_them(text: str) -> None:
    told = Told(lane_of(policy=POLICY))
    told.presence(True)
    assert kinds(told.read(Plate(text))) == ["TakeSnapshot"]


@pytest.mark.parametrize("age", [60.0, None])
def test_however_old_and_sure_it_is(age: float | None) -> None:
    told = Told(lane_of(policy=POLICY))
    effects = told.read(Plate("CAM03"), age=age, confidence=0.1)
    assert effects == (Settle(told.last, Outcome.IGNORED),)


@pytest.mark.parametrize("phase", ["Deciding", "Opening", "Passing", "Denied"])
def test_whoever_is_served_is_not_disturbed(phase: str) -> None:
    told = Told(lane_of(policy=POLICY))
    told.presence(True)
    if phase == "Denied":
        told.unread()
    else:
        told.read(CAR)
    if phase in ("Opening", "Passing"):
        told.gathered()
        told.admitted()
    if phase == "Passing":
        told.closing(True)
    before = told.state.phase
    assert told.phase == phase
    assert told.read(Plate("CAM03")) == (Settle(told.last, Outcome.IGNORED),)
    assert told.state.phase == before
    assert told.state.waiting is None


def test_by_default_nothing_but_a_single_character_is_ignored() -> None:
    told = Told()
    told.presence(True)
    assert told.read(Plate("A")) == (Settle(told.last, Outcome.IGNORED),)
    assert kinds(told.read(Plate("CAM03"))) == ["TakeSnapshot"]
