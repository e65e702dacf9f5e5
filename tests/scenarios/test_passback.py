"""Anti-passback, hard: a plate that is inside does not come in a second time, nor does its twin.

Soft passback (the old stay ends, the new one begins), penalties, and the mass reset after an outage
or an evacuation are the database's: tests/db/test_passback.py.
"""

import asyncio

import pytest

from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_its_twin_is_refused_and_the_stay_stands(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["already_inside"])
        await asyncio.sleep(60)
        assert story.opened("entry") == 1
        assert story.inside == [CAR]
        assert stay.status == "ACTIVE"


async def test_the_next_one_is_served_as_ever(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["already_inside"])
        story.backs_off("entry")
        await story.reaches("entry", "idle")
        await story.passes("entry", OTHER_CAR)
        assert story.inside == [CAR, OTHER_CAR]


async def test_who_has_left_may_come_again(until: Until) -> None:
    async with told(until) as story:
        first = await story.visits()
        await story.passes("exit")
        again = await story.passes("entry")
        assert (first.status, again.status) == ("COMPLETED", "ACTIVE")
        assert story.refusals() == []


async def test_who_turned_back_at_the_arm_was_never_inside(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.backs_off("entry")
        await until(lambda: [stay.status for stay in story.stays] == ["CANCELLED"])
        await asyncio.sleep(60)
        await story.passes("entry")
        assert story.refusals() == []
        assert story.inside == [CAR]


async def test_let_in_by_hand_all_the_same_it_is_a_case_for_people(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        story.drives_up("entry")
        await story.reaches("entry", "denied")
        assert await story.operator("open", lane="entry") is None
        await story.reaches("entry", "let_through")
        story.drives_through("entry")
        await until(lambda: story.cases == ["already_inside"])
        assert story.inside == [CAR]  # one stay, not two
