"""Evacuation and fire: exits stay open, entries are shut, nothing is charged while it lasts."""

import asyncio

import pytest

from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_the_fire_contact_opens_exits_and_shuts_entries(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.fire(on=True)
        await story.reaches("exit", "held")
        await story.reaches("entry", "closed")
        assert story.commands("exit") == ["hold"]
        story.drives_up("exit")
        await asyncio.sleep(1)
        story.drives_through("exit")
        await until(lambda: stay.status == "COMPLETED")
        assert stay.price is not None
        assert stay.price.amount == 0
        story.drives_up("entry", OTHER_CAR)
        await until(lambda: story.refusals() == ["evacuation"])


async def test_its_end_is_for_people_to_say(until: Until) -> None:
    async with told(until) as story:
        story.fire(on=True)
        await story.reaches("exit", "held")
        story.fire(on=False)
        await asyncio.sleep(600)
        assert story.phase("exit") == "held"
        assert await story.operator("resume") is None
        await story.reaches("exit", "idle")
        await story.reaches("entry", "idle")
        assert story.commands("exit") == ["hold", "release"]


async def test_an_operator_may_order_it(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("evacuate") is None
        await story.reaches("exit", "held")
        await story.reaches("entry", "closed")


async def test_who_waits_to_pay_is_let_out(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits(CAR)
        story.drives_up("exit")
        await story.opens("exit")
        story.fire(on=True)
        await asyncio.sleep(1)
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        await story.reaches("exit", "held")
