"""A second vehicle in one opening: inside without a stay of its own, or out without paying."""

import asyncio

import pytest

from gated.core.plates import Plate
from gated.core.site import LanePolicy
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.fakes.store import Stay
from tests.scenarios.story import Story, told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_at_an_entry_it_gets_an_unregistered_stay_and_a_violation(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.arm("entry", "opened")
        story.drives_through_with_another_behind("entry")
        await story.reaches("entry", "closing")
        await asyncio.sleep(1)
        story.drives_through("entry")
        await until(lambda: story.violations == ["tailgating"])
        assert story.inside == [CAR, None]
        assert story.opened("entry") == 1


async def test_also_where_no_arm_tells_if_it_follows_at_once(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.drives_through_with_another_behind("entry")
        await story.reaches("entry", "occupied")
        await asyncio.sleep(1)
        story.drives_through("entry")
        await until(lambda: story.violations == ["tailgating"])


async def test_who_comes_later_and_is_read_is_a_vehicle_like_any_other(until: Until) -> None:
    async with told(until) as story:
        await story.visits(seconds=30)
        await story.visits(OTHER_CAR, seconds=30)
        assert story.violations == []
        assert story.inside == [CAR, OTHER_CAR]


async def test_at_an_exit_the_one_that_waits_leaves_with_a_debt(until: Until) -> None:
    """It is read under the arm only, too late to be decided on."""
    async with told(until, arm_tells=True) as story:
        unpaid = await _one_leaves_before_another(story)
        story.says("exit", "closing on")
        story.is_read("exit", OTHER_CAR)
        story.says("exit", "presence off")
        story.says("exit", "closing off")
        await until(lambda: bool(story.violations))
        await _leaves_with_a_debt(story, unpaid)


async def test_also_one_that_was_read_before_it_followed(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        unpaid = await _one_leaves_before_another(story)
        story.is_read("exit", OTHER_CAR)
        story.drives_through("exit")
        await until(lambda: bool(story.violations))
        await _leaves_with_a_debt(story, unpaid)


async def test_one_that_is_read_badly_is_accused_and_its_stay_is_nobodys_to_end(
    until: Until,
) -> None:
    async with told(until, arm_tells=True) as story:
        unpaid = await _one_leaves_before_another(story)
        story.says("exit", "closing on")
        story.is_read("exit", OTHER_CAR, 0.3)
        story.says("exit", "presence off")
        story.says("exit", "closing off")
        await until(lambda: story.violations == ["tailgating"])
        assert unpaid.status == "ACTIVE"
        assert [kind for kind, _ in story.place.rows.reconciliations] == ["exit_unmatched"]


async def _one_leaves_before_another(story: Story) -> Stay:
    """The stay of the other one, which stands close behind and was not read."""
    await story.visits(CAR, seconds=60)
    unpaid = await story.visits(OTHER_CAR)
    story.drives_up("exit", CAR)
    await story.opens("exit")
    story.arm("exit", "opened")
    story.drives_through_with_another_behind("exit")
    await story.reaches("exit", "closing")
    await asyncio.sleep(1)
    return unpaid


async def _leaves_with_a_debt(story: Story, unpaid: Stay) -> None:
    await story.reaches("exit", "idle")
    assert story.violations == ["tailgating"]
    assert story.opened("exit") == 1
    assert unpaid.status == "COMPLETED"
    assert unpaid.price is not None
    assert unpaid.price.amount > 0
    assert story.place.rows.due(unpaid, unpaid.price) == unpaid.price
    assert story.place.rows.reconciliations == []
    assert story.refusals() == []


async def test_what_comes_the_other_way_is_no_tailgater(until: Until) -> None:
    """The closing loop first, and nobody on the presence loop: a trolley, or a wrong-way driver."""
    async with told(until) as story:
        await story.visits(seconds=2)
        story.says("entry", "closing on")
        story.says("entry", "closing off")
        await asyncio.sleep(30)
        assert story.violations == []
        assert story.inside == [CAR]


# ── who looks like it and is not ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arm_tells", [False, True])
async def test_a_trailer_is_a_part_of_its_vehicle(until: Until, *, arm_tells: bool) -> None:
    async with told(until, arm_tells=arm_tells) as story:
        await _drives_in_with_a_trailer(story)
        story.arm("entry", "closed")
        await asyncio.sleep(30)
        assert (story.violations, story.inside) == ([], [CAR])
        assert "trailer_assumed" in story.notes


@pytest.mark.parametrize("arm_tells", [False, True])
async def test_who_waits_behind_a_trailer_is_let_in_as_ever(
    until: Until, *, arm_tells: bool
) -> None:
    async with told(until, arm_tells=arm_tells) as story:
        await _drives_in_with_a_trailer(story, behind=OTHER_CAR)
        await story.opens("entry", 2)
        story.stands("entry")
        await asyncio.sleep(3)
        story.drives_through("entry")
        await until(lambda: story.stay_of(OTHER_CAR).entry_known is not None)
        assert (story.violations, story.inside) == ([], [CAR, OTHER_CAR])


async def test_where_no_trailers_come_the_lane_may_be_told_so(until: Until) -> None:
    async with told(until, policy=LanePolicy(trailer_seconds=0)) as story:
        await _drives_in_with_a_trailer(story)
        await until(lambda: story.violations == ["tailgating"])


async def _drives_in_with_a_trailer(story: Story, behind: Plate | None = None) -> None:
    """Both loops see the gap before it."""
    story.drives_up("entry")
    await story.opens("entry")
    story.arm("entry", "opened")
    story.says("entry", "closing on")
    if behind is not None:
        story.is_read("entry", behind)
    for word in ("presence off", "presence on", "closing off", "closing on", "presence off"):
        story.says("entry", word)
        await asyncio.sleep(0.4)
    story.says("entry", "closing off")


async def test_who_rolls_under_the_arm_and_back_before_it_goes_is_not_accused(
    until: Until,
) -> None:
    async with told(until, arm_tells=True) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.opens("exit")
        story.arm("exit", "opened")
        await _rolls_under_the_arm_and_goes(story)
        await until(lambda: story.cases == ["exit_unmatched"])
        assert story.violations == []
        assert stay.status == "COMPLETED"


async def _rolls_under_the_arm_and_goes(story: Story) -> None:
    """It is on the presence loop until it goes; or somebody crosses from outside meanwhile."""
    for word in ("closing on", "closing off", "closing on", "presence off", "closing off"):
        story.says("exit", word)
        await asyncio.sleep(1)
