"""A plate that nobody came in with: where it can only be one, it is that; else an operator says.

How near is near: tests/core/test_matching.py, tests/core/test_misread_exit.py. That the match and
its reason stay with the stay: tests/db/test_cli_why.py, tests/db/test_operations.py.
"""

import asyncio

import pytest

from gated.core.plates import Plate
from gated.core.site import LanePolicy, UnpaidExit
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

FAR = Plate("HHAX9934")  # two substitutions away
NEAR = Plate("HHA81234")  # an 8 for the B
ONE_OFF = LanePolicy(match_distance_max=1)
ONE_OFF_AND_PAID = LanePolicy(match_distance_max=1, unpaid_exit=UnpaidExit.WAIT)


async def test_one_look_alike_of_the_only_one_it_can_be_opens_by_itself(until: Until) -> None:
    async with told(until, policy=ONE_OFF) as story:
        stay = await story.visits()
        other = await story.visits(OTHER_CAR, seconds=60)
        story.drives_up("exit", NEAR)
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert stay.plate == CAR
        assert other.status == "ACTIVE"
        assert story.refusals() == []


async def test_also_then_it_pays_for_the_stay_first(until: Until) -> None:
    async with told(until, policy=ONE_OFF_AND_PAID) as story:
        stay = await story.visits(seconds=1800)
        story.drives_up("exit", NEAR)
        await until(lambda: story.asked == ["2.50"])
        assert story.opened("exit") == 0
        story.pays(stay.ticket, "2.50")
        await story.opens("exit")


async def test_where_it_may_be_two_the_operator_is_shown_both(until: Until) -> None:
    async with told(until, policy=ONE_OFF) as story:
        await story.visits(CAR, seconds=60)
        await story.visits(Plate("HHAB1Z34"), seconds=60)
        story.drives_up("exit", Plate("HHA81234"))
        await until(lambda: story.refusals() == ["no_entry_found"])
        (needed,) = [note for note in story.notes if note.startswith("match_needed")]
        assert "HHAB1234 (confusable_one)" in needed
        assert "HHAB1Z34" in needed
        await asyncio.sleep(60)
        assert story.opened("exit") == 0


async def test_where_the_lane_wants_it_exact_nothing_opens_by_itself(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        story.drives_up("exit", NEAR)
        await until(lambda: story.refusals() == ["no_entry_found"])
        assert story.opened("exit") == 0


async def test_two_substitutions_open_nothing_by_themselves(until: Until) -> None:
    async with told(until, policy=ONE_OFF) as story:
        await story.visits()
        story.drives_up("exit", FAR)
        await until(lambda: story.refusals() == ["no_entry_found"])
        await asyncio.sleep(60)
        assert story.opened("exit") == 0


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
