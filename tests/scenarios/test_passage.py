"""A passage: presence, open, closing loop, clear; and how it is known where a lane has less."""

import asyncio

import pytest

from gated.core.effects import PassageKnown
from tests.actors.conftest import Until
from tests.actors.support import CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_nothing_opens_before_a_vehicle_stands_on_the_loop(until: Until) -> None:
    async with told(until) as story:
        story.is_read("entry")
        await story.reaches("entry", "approached")
        await asyncio.sleep(5)
        assert story.opened("entry") == 0
        story.stands("entry")
        await story.opens("entry")


async def test_who_was_read_and_never_came_is_forgotten(until: Until) -> None:
    async with told(until) as story:
        story.is_read("entry")
        await story.reaches("entry", "approached")
        await story.reaches("entry", "idle")
        assert story.refusals() == ["no_presence"]
        assert story.inside == []


async def test_the_closing_loop_measures_the_passage(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        assert stay.entry_known is PassageKnown.MEASURED
        story.drives_up("exit")
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is PassageKnown.MEASURED)
        assert story.inside == []


async def test_a_long_vehicle_on_both_loops_is_one_passage(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.arm("entry", "opened")
        story.says("entry", "closing on")  # its front, while its rear still stands on the first
        await asyncio.sleep(4)
        story.says("entry", "presence off")
        story.says("entry", "closing off")
        story.arm("entry", "closed")
        await story.reaches("entry", "idle")
        assert story.inside == [CAR]
        assert story.violations == []


async def test_an_arm_that_goes_down_reports_the_passage_where_no_loop_sees_it(
    until: Until,
) -> None:
    async with told(until, arm_tells=True, closing_loop=False) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.arm("entry", "opened")
        await story.reaches("entry", "open")
        story.says("entry", "presence off")
        story.arm("entry", "closed")
        await until(lambda: story.stays[0].entry_known is not None)
        assert story.stays[0].entry_known is PassageKnown.REPORTED


async def test_without_loop_and_switch_it_is_assumed_and_says_so(until: Until) -> None:
    async with told(until, closing_loop=False) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.says("entry", "presence off")
        await until(lambda: story.stays[0].entry_known is not None)
        assert story.stays[0].entry_known is PassageKnown.ASSUMED


async def test_the_lane_is_free_when_the_arm_is_down(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.arm("entry", "opened")
        story.drives_through("entry")
        await story.reaches("entry", "closing")
        story.arm("entry", "closed")
        await story.reaches("entry", "idle")
