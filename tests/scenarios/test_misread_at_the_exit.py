"""A plate that nobody came in with: an operator says whose it is, and the lane goes on."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.typing import EventDict

from gated.core.plates import Plate
from gated.core.site import LanePolicy
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

FAR = Plate("HHAX9934")  # two substitutions away
NEAR = (Plate("HHA81234"), Plate("HHABI234"))  # either may have been read as `CAR`


async def test_two_substitutions_open_nothing_by_themselves(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        story.drives_up("exit", FAR)
        await until(lambda: story.refusals() == ["no_entry_found"])
        await asyncio.sleep(60)
        assert story.opened("exit") == 0


async def test_the_operator_is_told_whose_it_may_be_and_the_log_shows_no_whole_plate(
    until: Until, log_events: Sequence[EventDict]
) -> None:
    async with told(until, policy=LanePolicy(match_distance_max=1)) as story:
        for plate in NEAR:
            await story.visits(plate, seconds=60)
        story.drives_up("exit", CAR)
        await until(lambda: any("match_needed" in note for note in story.notes))
        note = next(note for note in story.notes if "match_needed" in note)
        assert [f"{plate} (confusable_one)" in note for plate in NEAR] == [True, True]
        logged = [str(one["detail"]) for one in log_events if one.get("notice") == "match_needed"]
        assert logged == ["HH****34 (confusable_one), HH****34 (confusable_one)"]


async def test_matched_by_hand_it_leaves_by_its_own_stay_without_a_new_read(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.drives_up("exit", FAR)
        await story.reaches("exit", "denied")
        assert await story.operator("match", lane="exit", stay=str(stay.id)) is None
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert stay.plate == CAR
        assert stay.price is not None


async def test_also_one_that_no_camera_can_read(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.stands("exit")
        await story.reaches("exit", "denied")
        assert await story.operator("match", lane="exit", stay=str(stay.id)) is None
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)


async def test_a_match_for_nobody_is_refused(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        assert await story.operator("match", lane="exit", stay=str(stay.id)) == "not_now"
        assert story.opened("exit") == 0


async def test_the_stay_of_another_is_not_touched(until: Until) -> None:
    async with told(until) as story:
        await story.visits(seconds=60)
        other = await story.visits(OTHER_CAR, seconds=60)
        story.drives_up("exit", FAR)
        await story.reaches("exit", "denied")
        ours = story.stay_of(CAR)
        assert await story.operator("match", lane="exit", stay=str(ours.id)) is None
        await story.opens("exit")
        assert other.status == "ACTIVE"
