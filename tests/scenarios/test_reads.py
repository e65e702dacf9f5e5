"""What a camera says of one vehicle: updates, repetitions, doubts, and texts that are no plates.

The same in the small: tests/core/test_reads.py, test_consensus.py, test_ignored_reads.py. Plates of
several countries, and the text as it was read: tests/core/test_plate_classes.py, test_plates.py.
"""

import asyncio

import pytest

from gated.core.plates import Plate
from gated.core.site import LanePolicy, Unproven
from tests.actors.conftest import Until
from tests.actors.support import CAR
from tests.scenarios.story import Story, told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

TWO_AGREE = LanePolicy(consensus_reads_min=2)
NO_OVERLAYS = LanePolicy(reads_ignored=("CAM*", "ENTRANCE1"))
RATED_ONLY = LanePolicy(unrated_reads=Unproven.REFUSE)
# One of the two is misread, and which one nobody can tell.
OTHERWISE = Plate("HHAB1284")


async def opens_once(story: Story) -> None:
    """The vehicle at the entry is let in, and once only."""
    await story.opens("entry")
    await asyncio.sleep(5)
    assert story.opened("entry") == 1
    assert story.inside == [CAR]
    assert story.unsettled == []


async def test_told_three_times_it_is_one_vehicle(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        for _ in range(2):
            story.is_read("entry")
        await opens_once(story)
        assert story.became("read") == ["decided", "folded", "folded"]


async def test_read_again_as_it_drives_off_it_is_no_second_visit(until: Until) -> None:
    async with told(until) as story:
        await story.visits(seconds=1)
        story.is_read("entry")
        await until(lambda: story.became("read") == ["decided", "folded"])
        assert story.phase("entry") == "idle"
        assert story.refusals() == []


async def test_one_that_is_sure_decides_at_once(until: Until) -> None:
    async with told(until, policy=TWO_AGREE) as story:
        story.drives_up("entry")
        await opens_once(story)


async def test_two_that_are_not_sure_and_agree_decide_together(until: Until) -> None:
    async with told(until, policy=TWO_AGREE) as story:
        story.stands("entry")
        story.is_read("entry", CAR, 0.65)
        await story.reaches("entry", "gathering")
        story.is_read("entry", CAR, 0.65)
        await opens_once(story)


async def test_a_sure_one_ends_the_doubt(until: Until) -> None:
    async with told(until, policy=TWO_AGREE) as story:
        story.stands("entry")
        story.is_read("entry", OTHERWISE, 0.4)
        await story.reaches("entry", "gathering")
        story.is_read("entry", CAR, 0.95)
        await opens_once(story)


@pytest.mark.parametrize("second", [None, OTHERWISE])
async def test_alone_or_contradicted_the_unsure_open_nothing(
    second: Plate | None, until: Until
) -> None:
    async with told(until, policy=TWO_AGREE) as story:
        story.stands("entry")
        story.is_read("entry", CAR, 0.65)
        await story.reaches("entry", "gathering")
        if second is not None:
            story.is_read("entry", second, 0.65)
        await until(lambda: story.refusals() == ["read_uncertain"])
        assert story.phase("entry") == "denied"
        assert story.commands("entry") == ["deny"]
        assert story.inside == []


async def test_below_the_lanes_minimum_it_is_told_so_until_it_is_read_better(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        story.is_read("entry", CAR, 0.5)
        await until(lambda: story.refusals() == ["read_uncertain"])
        assert story.opened("entry") == 0
        story.is_read("entry", CAR, 0.8)
        await opens_once(story)


async def test_a_camera_that_rates_nothing_opens_where_the_lane_accepts_that(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        story.is_read("entry", CAR, None)
        await opens_once(story)


async def test_and_nothing_where_it_does_not(until: Until) -> None:
    async with told(until, policy=RATED_ONLY) as story:
        story.stands("entry")
        story.is_read("entry", CAR, None)
        await until(lambda: story.refusals() == ["read_unrated"])
        assert story.opened("entry") == 0


async def test_what_a_camera_writes_into_its_picture_is_no_vehicle(until: Until) -> None:
    async with told(until, policy=NO_OVERLAYS) as story:
        story.stands("entry")
        for overlay in ("CAM03", "ENTRANCE1", "CAM03"):
            story.is_read("entry", Plate(overlay))
        await until(lambda: story.became("read") == ["ignored"] * 3)
        assert story.commands("entry") == []
        story.is_read("entry", CAR)
        await opens_once(story)


@pytest.mark.parametrize("presence_loop", [True, False])
async def test_a_misread_of_who_was_granted_opens_for_nobody(
    until: Until, *, presence_loop: bool
) -> None:
    """The next one stands close behind, where a loop tells of it, and is not read yet."""
    async with told(until, presence_loop=presence_loop) as story:
        if presence_loop:
            story.stands("entry")
        story.is_read("entry", CAR)
        await story.opens("entry")
        story.is_read("entry", OTHERWISE)
        story.says("entry", "closing on")
        if presence_loop:
            story.backs_off("entry")
            story.stands("entry")
        await asyncio.sleep(1)
        story.says("entry", "closing off")
        await asyncio.sleep(5)
        assert story.inside == [CAR]
        assert story.opened("entry") == 1
        assert story.became(f"read {OTHERWISE}") == ["folded"]
