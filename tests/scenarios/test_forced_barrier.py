"""The arm is down, and somebody comes through all the same."""

import asyncio

import pytest

from tests.actors.conftest import Until
from tests.actors.support import CAR
from tests.fakes.store import FakeVehicle
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_it_is_a_violation_and_a_fault_of_the_arm(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.place.store.vehicles.append(FakeVehicle(CAR, blocked=True))
        story.arm("entry", "closed")
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["blocked"])
        await asyncio.sleep(20)
        story.drives_through("entry")
        await until(lambda: story.violations == ["forced_barrier"])
        assert story.inside == [CAR]
        assert "fault_raised arm_forced" in story.notes
        story.arm("entry", "closed")
        await until(lambda: "fault_cleared arm_forced" in story.notes)


async def test_an_arm_that_goes_up_unasked_is_a_fault(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.arm("entry", "opened")
        await until(lambda: "fault_raised arm_forced" in story.notes)
        assert story.commands("entry") == []


async def test_where_no_arm_tells_it_is_recorded_and_nobody_is_accused(until: Until) -> None:
    async with told(until) as story:
        story.place.store.vehicles.append(FakeVehicle(CAR, blocked=True))
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["blocked"])
        await asyncio.sleep(20)
        story.drives_through("entry")
        await until(lambda: story.inside == [CAR])
        assert story.violations == []
