"""A vehicle stands there, and no plate is read: it is told so, and somebody is called.

When a call begins and ends, word by word: tests/core/test_calls.py.
"""

import itertools
from dataclasses import replace

import pytest

from tests.actors.conftest import Events, Until
from tests.actors.support import CAR, EPOCH
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
        assert story.call("entry") == "plate_unread"
        story.backs_off("entry")
        await story.reaches("entry", "idle")
        assert story.calls("entry") == [None, "plate_unread", None]


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
        assert story.call("entry") is None


async def test_read_badly_it_needs_somebody_as_well(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        story.is_read("entry", CAR, 0.3)
        await story.reaches("entry", "denied")
        assert story.call("entry") == "read_uncertain"
        assert await story.operator("open", lane="entry") is None
        await story.reaches("entry", "let_through")
        assert story.call("entry") is None


async def test_its_driver_may_ask_for_somebody(until: Until, log_events: Events) -> None:
    async with told(until, spots=()) as story:
        story.drives_up("entry")
        await story.reaches("entry", "denied")
        assert (story.refusals(), story.call("entry")) == (["full_facility"], None)
        # Nothing but the call is news here, and it is told.
        story.presses("entry")
        await until(lambda: story.call("entry") == "button")
        assert called(log_events) == 1
        assert story.calling("entry") == {"button": (1, 1)}
        story.presses("entry")
        story.backs_off("entry")
        await until(lambda: story.call("entry") is None)
        assert story.calling("entry") == {"button": (0, 1)}


async def test_one_call_for_two_reasons_is_counted_once(until: Until) -> None:
    async with told(until) as story:
        story.stands("exit")
        await until(lambda: story.call("exit") == "plate_unread")
        story.is_read("exit", CAR)
        await until(lambda: story.call("exit") == "no_entry_found")
        assert story.calling("exit") == {"plate_unread": (0, 1), "no_entry_found": (1, 0)}
        assert story.calling("entry") == {}


async def test_each_state_is_news(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        await story.reaches("entry", "denied")
        for _ in range(2):
            story.presses("entry")
        await until(lambda: story.unsettled == [])
        said = [replace(one, since=EPOCH) for _, one in story.place.shown.lanes_shown]
        entry = [
            one
            for (slug, _), one in zip(story.place.shown.lanes, said, strict=True)
            if slug == "entry"
        ]
        assert all(one != other for one, other in itertools.pairwise(entry))


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
