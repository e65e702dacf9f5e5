"""Consensus of several unsure reads: what is agreed on, and that nothing is made up."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.consensus import Sighting, agreed, is_sure
from gated.core.events import Candidate, PlateRead
from gated.core.plate_classes import Country
from gated.core.plates import Plate
from gated.core.site import LanePolicy
from tests.core.support import at, cause_of

POLICY = LanePolicy(consensus_reads_min=2, read_confidence_sure=0.9)
GERMAN = LanePolicy(consensus_reads_min=2, plate_countries=(Country.DE,))
RIGHT, WRONG, OTHER = "HHAB1034", "HHAB1084", "HHAB7034"
MISFIT = "HHAB1O34"  # a letter where Germany has digits alone


def seen(
    number: int,
    text: str,
    confidence: float | None,
    *candidates: tuple[str, float | None],
    device_at: datetime | None = None,
) -> Sighting:
    opinions = tuple(Candidate(Plate(plate), rate) for plate, rate in candidates)
    read = PlateRead(Plate(text), text, confidence, opinions, device_at=device_at)
    return Sighting(read, cause_of(number, number / 10))


def settled(policy: LanePolicy, *sightings: Sighting, over: bool = False) -> str | None:
    found = agreed(policy, sightings, over=over)
    return None if found is None else found.sighting.read.plate.text


@pytest.mark.parametrize(
    ("policy", "text", "confidence", "sure"),
    [
        (LanePolicy(), RIGHT, 0.1, True),  # no consensus is wanted: judged by itself
        (POLICY, RIGHT, 0.9, True),
        (POLICY, RIGHT, 0.89, False),
        (POLICY, RIGHT, None, True),
        (GERMAN, RIGHT, 0.7, True),
        (GERMAN, RIGHT, 0.69, False),
        (GERMAN, MISFIT, 0.99, False),
        (GERMAN, "1ABC23", 0.99, False),  # Dutch
        (LanePolicy(consensus_reads_min=2, read_confidence_sure=0.1), RIGHT, 0.6, False),
    ],
)
def test_which_read_decides_by_itself(
    policy: LanePolicy, text: str, confidence: float | None, *, sure: bool
) -> None:
    assert is_sure(policy, seen(1, text, confidence).read) is sure


def test_two_that_agree_are_enough() -> None:
    assert settled(POLICY, seen(1, RIGHT, 0.6), seen(2, RIGHT, 0.6)) == RIGHT


def test_one_is_not_enough_while_more_may_come() -> None:
    assert settled(POLICY, seen(1, RIGHT, 0.8)) is None
    assert settled(POLICY, seen(1, RIGHT, 0.8), over=True) == RIGHT


def test_one_that_is_not_sure_enough_never_is() -> None:
    assert settled(POLICY, seen(1, RIGHT, 0.69), over=True) is None


def test_two_that_are_hardly_sure_do_not_make_one_that_is() -> None:
    assert settled(POLICY, seen(1, RIGHT, 0.5), seen(2, RIGHT, 0.5), over=True) is None


def test_the_bar_is_the_lanes_minimum() -> None:
    reads = (seen(1, RIGHT, 0.6), seen(2, RIGHT, 0.6))
    strict = LanePolicy(consensus_reads_min=2, read_confidence_min=0.8)
    assert settled(strict, *reads, over=True) is None


def test_updates_about_one_instant_are_one_look() -> None:
    same = [seen(number, RIGHT, 0.6, device_at=at(0)) for number in range(1, 9)]
    assert settled(POLICY, *same, over=True) is None
    assert settled(POLICY, *same, seen(9, RIGHT, 0.6, device_at=at(1))) == RIGHT


def test_many_weak_looks_count_as_few() -> None:
    assert settled(POLICY, *(seen(n, RIGHT, 0.4) for n in range(1, 30)), over=True) is None


def test_a_contradiction_of_equal_weight_is_no_consensus() -> None:
    assert settled(POLICY, seen(1, RIGHT, 0.8), seen(2, WRONG, 0.8), over=True) is None


def test_two_against_one() -> None:
    reads = (seen(1, WRONG, 0.6), seen(2, RIGHT, 0.65), seen(3, RIGHT, 0.65))
    found = agreed(POLICY, reads, over=False)
    assert found is not None
    assert (found.sighting.read.plate.text, found.looks) == (RIGHT, 2)
    assert found.sighting.cause == reads[2].cause
    assert found.sighting.read.plate_raw == RIGHT
    assert found.sighting.read.confidence == pytest.approx(1 - 0.35 * (1 - 0.65 / 2))
    assert found.sighting.read.candidates == (Candidate(Plate(WRONG), 0.6),)


def test_the_cameras_second_opinion_weighs_for_and_against() -> None:
    against = seen(1, RIGHT, 0.75, (WRONG, 0.9))
    assert settled(POLICY, against, over=True) is None
    assert settled(POLICY, against, seen(2, RIGHT, 0.5), over=True) == RIGHT


def test_what_is_a_second_opinion_only_is_not_agreed_on() -> None:
    assert settled(POLICY, seen(1, RIGHT, 0.2, (WRONG, 1.0)), over=True) is None


def test_a_text_of_no_class_yields_to_what_it_may_stand_for_if_the_camera_names_that() -> None:
    named = seen(1, MISFIT, 0.9, (RIGHT, 0.5))
    found = agreed(GERMAN, (named,), over=True)
    assert found is not None
    assert found.sighting.read.plate.text == RIGHT
    assert found.sighting.read.plate_raw == MISFIT
    assert Candidate(Plate(MISFIT), 0.9) in found.sighting.read.candidates


@pytest.mark.parametrize("confidence", [None, 0.0, 0.49])
def test_an_opinion_that_the_camera_itself_hardly_holds_is_not_enough(
    confidence: float | None,
) -> None:
    assert settled(GERMAN, seen(1, MISFIT, 0.9, (RIGHT, confidence)), over=True) != RIGHT


def test_another_read_of_what_it_may_stand_for_is() -> None:
    assert settled(GERMAN, seen(1, MISFIT, 0.9), seen(2, RIGHT, 0.5), over=True) == RIGHT


def test_a_text_of_no_class_stays_what_it_is_if_the_camera_says_nothing_else() -> None:
    reads = (seen(1, MISFIT, 0.8), seen(2, MISFIT, 0.8))
    assert settled(GERMAN, *reads) == MISFIT


def test_a_foreign_plate_that_is_read_well_is_what_it_is() -> None:
    assert settled(GERMAN, seen(1, "1ABC23", 0.95), over=True) == "1ABC23"


texts = st.sampled_from([RIGHT, WRONG, OTHER, MISFIT, "1ABC23", "XY1"])
rates = st.floats(0, 1)
opinions = st.lists(st.tuples(texts, st.none() | rates), max_size=2)
many = st.lists(st.tuples(texts, rates, opinions), min_size=1, max_size=8)
policies = st.builds(
    LanePolicy,
    consensus_reads_min=st.integers(2, 4),
    read_confidence_min=rates,
    plate_countries=st.sampled_from([(), (Country.DE,), (Country.DE, Country.NL)]),
)


@given(policies, many, st.booleans())
def test_whatever_is_agreed_on_was_said_as_a_whole_and_is_sure_enough(
    policy: LanePolicy, said: list[tuple[str, float, list[tuple[str, float | None]]]], over: bool
) -> None:
    reads = [seen(n, text, rate, *more) for n, (text, rate, more) in enumerate(said, 1)]
    found = agreed(policy, reads, over=over)
    if found is None:
        return
    read = found.sighting.read
    spoken = {one.read.plate for one in reads}
    spoken |= {one.plate for each in reads for one in each.read.candidates}
    assert read.plate in spoken
    assert read.confidence is not None
    assert policy.read_confidence_min <= read.confidence <= 1
    assert found.sighting.cause in [one.cause for one in reads]
    assert read.plate not in {one.plate for one in read.candidates}
    assert {read.plate, *(one.plate for one in read.candidates)} == spoken


@given(policies, many)
def test_what_is_agreed_on_before_the_time_is_up_is_agreed_on_afterwards(
    policy: LanePolicy, said: list[tuple[str, float, list[tuple[str, float | None]]]]
) -> None:
    reads = [seen(n, text, rate, *more) for n, (text, rate, more) in enumerate(said, 1)]
    early = agreed(policy, reads, over=False)
    assert early is None or early == agreed(policy, reads, over=True)
