"""Who stands refused is decided on once more when the reason may have ended, without a new read.

A camera may tell of a vehicle once, and the driver waits. What the database keeps of both
decisions: tests/db/test_decided_again.py; whatever may happen meanwhile:
tests/core/test_decided_again.py.
"""

import asyncio

import pytest

from gated.actors.facility import REFUSED_LOOK_SECONDS
from gated.actors.zone import RECOUNT_SECONDS
from gated.core.opening import OpeningHours, OpeningWindow
from gated.core.plates import Plate
from gated.core.site import LanePolicy
from gated.core.snapshot import Group
from tests.actors.conftest import Until
from tests.actors.support import CAR, INNER, OTHER_CAR, ZONE
from tests.fakes.store import FakeLimit, FakeVehicle
from tests.scenarios.story import Story, told, told_on

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

THIRD_CAR = Plate("B77X")
# The stories begin at half past nine on a Monday, on the clock on the wall.
FROM_TEN = OpeningHours(
    (OpeningWindow(10 * 60, 22 * 60),), frozenset(), frozenset(), "Europe/Berlin"
)


async def stands_refused(
    story: Story,
    lane: str = "entry",
    plate: Plate = CAR,
    *,
    reason: str = "full_facility",
    seconds: float = 60,
) -> None:
    """It drives up, is read once and told no, and stays."""
    before = len(story.refusals())
    story.drives_up(lane, plate)
    await story.until(lambda: story.refusals()[before:] == [reason])
    await story.reaches(lane, "denied")
    await asyncio.sleep(seconds)
    assert story.phase(lane) == "denied"


async def test_a_spot_that_comes_free_opens_for_the_one_who_waits(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        await story.passes("exit", OTHER_CAR)
        await story.opens("entry", 2)
        story.drives_through("entry")
        await until(lambda: story.stay_of(CAR).entry_known is not None)
        assert story.inside == [CAR]
        assert story.commands("entry") == ["open", "deny", "open"]
        # Its read and the decision once more, each decided once.
        assert story.became("read") == ["decided"] * 4
        kinds = [event.row.kind for event in story.place.rows.events.values()]
        assert kinds.count("again") == 1
        await until(lambda: story.unsettled == [])


async def test_at_once_and_not_only_at_the_next_look(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        story.drives_up("exit", OTHER_CAR)
        await story.opens("exit")
        since = story.place.clock.monotonic()
        await story.opens("entry", 2)
        assert story.place.clock.monotonic() - since < 1


async def test_a_spot_that_others_give_back_is_seen_when_the_zone_is_counted(
    until: Until,
) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        # The back office ends the stay.
        stay = story.stay_of(OTHER_CAR)
        stay.status = "COMPLETED"
        story.place.rows.give_back(stay)
        await asyncio.sleep(max(RECOUNT_SECONDS, REFUSED_LOOK_SECONDS) + 1)
        await story.opens("entry", 2)


async def test_while_the_answer_is_the_same_nobody_is_told_again(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        rows = len(story.place.rows.events)
        for _ in range(50):
            story.place.facility.change_told()
        await asyncio.sleep(20 * REFUSED_LOOK_SECONDS)
        assert story.commands("entry") == ["open", "deny"]
        assert story.refusals() == ["full_facility"]
        assert len(story.place.rows.events) == rows
        assert story.phase("entry") == "denied"


async def test_two_wait_and_one_spot_comes_free(until: Until) -> None:
    async with told(until, spots=("1",), second_entry=True) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        await stands_refused(story, "entry-2", THIRD_CAR)
        await story.passes("exit", OTHER_CAR)
        await until(lambda: story.opened("entry") + story.opened("entry-2") == 2)
        await asyncio.sleep(5)
        assert len(story.inside) == 1
        # The other one stands there as before, and has not been told so again.
        first = story.inside == [CAR]
        other, lane = (THIRD_CAR, "entry-2") if first else (CAR, "entry")
        assert story.phase(lane) == "denied"
        assert story.refusals() == ["full_facility"] * 2
        story.drives_through("entry" if first else "entry-2")
        await asyncio.sleep(10)
        (inside,) = [plate for plate in story.inside if plate is not None]
        await story.passes("exit", inside)
        await until(lambda: story.inside == [other])


async def test_who_has_left_is_not_let_in(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        story.backs_off("entry")
        await story.reaches("entry", "idle")
        await story.passes("exit", OTHER_CAR)
        await asyncio.sleep(3 * REFUSED_LOOK_SECONDS)
        assert story.opened("entry") == 1
        assert story.inside == []


async def test_who_comes_in_its_place_is_not_let_in_by_its_read(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        story.backs_off("entry")
        story.stands("entry")
        await story.passes("exit", OTHER_CAR)
        await asyncio.sleep(3 * REFUSED_LOOK_SECONDS)
        assert story.opened("entry") == 1
        assert story.inside == []


async def test_who_turns_back_after_all_gives_the_spot_to_the_next_one(until: Until) -> None:
    async with told(until, spots=("1",), second_entry=True) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        await story.passes("exit", OTHER_CAR)
        await story.opens("entry", 2)
        await stands_refused(story, "entry-2", THIRD_CAR, seconds=10)
        story.backs_off("entry")
        await story.opens("entry-2")
        assert story.stay_of(CAR).status == "CANCELLED"
        assert story.inside == [THIRD_CAR]


async def test_a_poor_read_of_the_one_who_waits_makes_nobody_forgotten(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        story.is_read("entry", CAR, 0.2)
        story.is_read("entry", Plate("HHAB1Z34"), 0.2)
        await asyncio.sleep(20)
        assert (story.phase("entry"), story.call("entry")) == ("denied", None)
        await story.passes("exit", OTHER_CAR)
        await story.opens("entry", 2)
        assert story.inside == [CAR]


async def full_without_a_loop(story: Story) -> None:
    """The only spot is taken, and another one is read and refused."""
    story.is_read("entry", OTHER_CAR)
    await story.opens("entry")
    story.drives_through("entry")
    await asyncio.sleep(30)
    story.is_read("entry", CAR)
    await story.until(lambda: story.refusals() == ["full_facility"])


async def test_where_no_loop_tells_that_it_is_there_a_young_read_does(until: Until) -> None:
    async with told(until, spots=("1",), presence_loop=False) as story:
        await full_without_a_loop(story)
        story.is_read("exit", OTHER_CAR)
        await story.opens("exit")
        await story.opens("entry", 2)
        assert story.commands("entry") == ["open", "deny", "open"]


async def test_and_an_old_one_does_not(until: Until) -> None:
    async with told(until, spots=("1",), presence_loop=False) as story:
        await full_without_a_loop(story)
        await asyncio.sleep(LanePolicy().event_age_seconds_max + 1)
        story.is_read("exit", OTHER_CAR)
        await story.opens("exit")
        story.drives_through("exit")
        await asyncio.sleep(3 * REFUSED_LOOK_SECONDS)
        assert story.opened("entry") == 1
        assert story.inside == []


async def test_a_limit_that_is_not_reached_any_more(until: Until) -> None:
    async with told(until) as story:
        story.place.rows.limits.append(FakeLimit(None, Group.TRANSIENT, 1))
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story, reason="full_class")
        await story.passes("exit", OTHER_CAR)
        await story.opens("entry", 2)


async def test_between_zones_who_waits_is_let_on(until: Until) -> None:
    async with told(until, nested=True) as story:
        for plate in (OTHER_CAR, CAR):
            await story.passes("entry", plate)
        await story.passes("inward", OTHER_CAR)
        await stands_refused(story, "inward", reason="full_zone")
        await story.passes("outward", OTHER_CAR)
        await story.opens("inward", 2)
        assert story.stay_of(CAR).zone == INNER
        assert story.stay_of(OTHER_CAR).zone == ZONE


async def test_another_answer_is_told_once(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        story.place.store.vehicles.append(FakeVehicle(CAR, blocked=True))
        await story.passes("exit", OTHER_CAR)
        await until(lambda: story.refusals() == ["full_facility", "blocked"])
        await asyncio.sleep(10 * REFUSED_LOOK_SECONDS)
        assert story.commands("entry") == ["open", "deny", "deny"]
        assert "Access refused" in (story.displays("entry")[-1] or "")


async def test_a_lane_that_is_closed_grants_nothing(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        assert await story.operator("lane_close", lane="entry") is None
        await story.reaches("entry", "closed")
        await story.passes("exit", OTHER_CAR)
        await asyncio.sleep(3 * REFUSED_LOOK_SECONDS)
        assert story.opened("entry") == 1


async def test_an_evacuation_grants_nothing(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        story.fire(on=True)
        await story.reaches("entry", "closed")
        story.drives_up("exit", OTHER_CAR)
        story.drives_through("exit")
        await until(lambda: story.inside == [])
        await asyncio.sleep(3 * REFUSED_LOOK_SECONDS)
        assert story.opened("entry") == 1


async def test_when_the_hour_comes_it_opens_for_the_one_who_waits(until: Until) -> None:
    async with told(until, opening=FROM_TEN) as story:
        await stands_refused(story, reason="outside_opening_hours")
        await asyncio.sleep(1800)
        await story.opens("entry")
        assert story.commands("entry") == ["deny", "open"]


async def test_a_lane_that_is_opened_again_opens_for_the_one_who_waits(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("lane_close", lane="entry") is None
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["closed"])
        await asyncio.sleep(60)
        assert await story.operator("lane_open", lane="entry") is None
        await story.opens("entry")
        assert story.commands("entry") == ["deny", "open"]
        story.drives_through("entry")
        await until(lambda: story.stay_of(CAR).entry_known is not None)


async def test_also_for_one_that_was_refused_before_it_was_closed(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
        assert await story.operator("lane_close", lane="entry") is None
        await story.passes("exit", OTHER_CAR)
        await asyncio.sleep(60)
        assert story.opened("entry") == 1
        assert await story.operator("lane_open", lane="entry") is None
        await story.opens("entry", 2)
        assert story.refusals() == ["full_facility"]


async def test_opened_again_it_says_what_is_in_the_way_now(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        assert await story.operator("lane_close", lane="entry") is None
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["closed"])
        assert await story.operator("lane_open", lane="entry") is None
        await until(lambda: story.refusals() == ["closed", "full_facility"])
        assert (story.phase("entry"), story.call("entry")) == ("denied", None)


async def test_but_not_for_one_that_came_unread_in_its_place(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("lane_close", lane="entry") is None
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["closed"])
        story.backs_off("entry")
        story.stands("entry")
        assert await story.operator("lane_open", lane="entry") is None
        await story.reaches("entry", "denied")
        assert story.call("entry") == "plate_unread"
        assert story.opened("entry") == 0


async def test_when_the_evacuation_is_over_it_opens_for_the_one_who_waits(
    until: Until,
) -> None:
    async with told(until) as story:
        story.fire(on=True)
        await story.reaches("entry", "closed")
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["evacuation"])
        await asyncio.sleep(60)
        assert await story.operator("resume") is None
        await story.opens("entry")


async def test_at_an_exit_it_has_to_be_read_anew(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        assert await story.operator("lane_close", lane="exit") is None
        story.drives_up("exit")
        await until(lambda: story.refusals() == ["closed"])
        assert await story.operator("lane_open", lane="exit") is None
        await story.reaches("exit", "occupied")
        await asyncio.sleep(3 * REFUSED_LOOK_SECONDS)
        assert (story.opened("exit"), story.call("exit")) == (0, "plate_unread")
        story.is_read("exit")
        await story.opens("exit")


async def test_after_a_restart_it_has_to_be_read_anew(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await stands_refused(story)
    async with told_on(story, until) as story:
        await story.reaches("entry", "occupied")
        await story.passes("exit", OTHER_CAR)
        await asyncio.sleep(3 * REFUSED_LOOK_SECONDS)
        assert story.opened("entry") == 0
        assert story.call("entry") == "plate_unread"
