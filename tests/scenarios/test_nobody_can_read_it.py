"""A vehicle stands there, and no plate is read: it is told so, and somebody is called."""

import pytest

from tests.actors.conftest import Events, Until
from tests.actors.support import CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


def called(events: Events) -> int:
    return sum(event.get("notice") == "intercom_call" for event in events)


async def test_the_camera_says_so(until: Until, log_events: Events) -> None:
    async with told(until) as story:
        story.stands("entry")
        story.says("entry", "unread")
        await story.reaches("entry", "denied")
        await until(lambda: story.refusals() == ["plate_unread"])
        assert called(log_events) == 1
        assert story.commands("entry") == ["deny"]


async def test_the_camera_says_nothing(until: Until, log_events: Events) -> None:
    async with told(until) as story:
        story.stands("entry")
        await story.reaches("entry", "denied")
        await until(lambda: story.commands("entry") == ["deny"])
        assert called(log_events) == 1


async def test_read_at_last_it_is_served(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        await story.reaches("entry", "denied")
        story.is_read("entry", CAR)
        await story.opens("entry")


async def test_three_in_a_row_mean_that_the_camera_is_silent(until: Until) -> None:
    async with told(until) as story:
        for _ in range(3):
            story.stands("entry")
            await story.reaches("entry", "denied")
            story.backs_off("entry")
            await story.reaches("entry", "idle")
        await until(lambda: "fault_raised camera_silent" in story.notes)
        story.drives_up("entry")
        await until(lambda: "fault_cleared camera_silent" in story.notes)
        await story.opens("entry")
