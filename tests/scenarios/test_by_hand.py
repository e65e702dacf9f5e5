"""What operators do at a lane: open once, hold, close; and what becomes of who drives through."""

import asyncio

import pytest

from gated.core.effects import PassageKnown
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_opened_once_for_a_vehicle_that_nobody_can_read(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        await story.reaches("entry", "denied")  # no camera said anything
        assert await story.operator("open", lane="entry") is None
        await story.reaches("entry", "let_through")
        story.drives_through("entry")
        await until(lambda: story.inside == [None])
        assert story.violations == []


async def test_opened_once_and_nobody_comes(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("open", lane="entry") is None
        await story.reaches("entry", "let_through")
        await story.reaches("entry", "idle")
        assert story.inside == []


async def test_held_open_everyone_passes_and_is_recorded(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("hold", lane="entry") is None
        await story.reaches("entry", "held")
        for plate in (CAR, OTHER_CAR):
            story.drives_up("entry", plate)
            await asyncio.sleep(1)
            story.drives_through("entry")
            await asyncio.sleep(5)
        await until(lambda: story.inside == [CAR, OTHER_CAR])
        assert story.commands("entry") == ["hold"]  # nothing else was needed
        assert await story.operator("release", lane="entry") is None
        await story.reaches("entry", "idle")


async def test_what_no_closing_loop_shows_is_assumed_and_says_so(until: Until) -> None:
    async with told(until, closing_loop=False) as story:
        assert await story.operator("hold", lane="entry") is None
        await story.reaches("entry", "held")
        story.drives_up("entry", CAR)
        await until(lambda: story.inside == [CAR])
        story.backs_off("entry")
        assert story.stay_of(CAR).entry_known is PassageKnown.ASSUMED
        assert await story.operator("open", lane="exit") is None
        await story.reaches("exit", "let_through")
        story.drives_up("exit", CAR)
        story.backs_off("exit")
        await until(lambda: story.inside == [])
        assert story.stay_of(CAR).exit_known is PassageKnown.ASSUMED


async def test_what_the_closing_loop_shows_is_measured(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("hold", lane="entry") is None
        await story.reaches("entry", "held")
        story.drives_up("entry", CAR)
        story.drives_through("entry")
        await until(lambda: story.inside == [CAR])
        assert story.stay_of(CAR).entry_known is PassageKnown.MEASURED
        assert await story.operator("open", lane="exit") is None
        await story.reaches("exit", "let_through")
        story.drives_up("exit", CAR)
        story.drives_through("exit")
        await until(lambda: story.inside == [])
        assert story.stay_of(CAR).exit_known is PassageKnown.MEASURED


async def test_an_exit_held_open_leaves_debts_behind(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        assert await story.operator("hold", lane="exit") is None
        story.drives_up("exit")
        await asyncio.sleep(1)
        story.drives_through("exit")
        await until(lambda: stay.status == "COMPLETED")
        assert stay.price is not None
        assert stay.price.amount > 0


async def test_a_lane_closed_for_traffic_refuses_and_says_why(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("lane_close", lane="entry") is None
        await story.reaches("entry", "closed")
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["closed"])
        assert story.opened("entry") == 0
        story.backs_off("entry")
        assert await story.operator("lane_open", lane="entry") is None
        await asyncio.sleep(30)
        story.drives_up("entry")
        await story.opens("entry")


async def test_a_lane_is_closed_behind_the_vehicle_that_is_being_served(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        await story.opens("entry")
        assert await story.operator("lane_close", lane="entry") is None
        assert story.phase("entry") == "opening"
        story.drives_through("entry")
        await story.reaches("entry", "closed")
        assert story.inside == [CAR]


async def test_without_a_reason_nothing_is_done(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("open", lane="entry", reason=" ") == "reason_missing"
        await asyncio.sleep(10)
        assert story.commands("entry") == []
