"""Refused: by what right or lack of it, what the driver reads, and that nothing opens.

All reasons and their texts: tests/core/test_reasons.py, tests/core/test_wording.py. What the
database refuses (too large, kept for others, claimed for later): tests/db/test_assignment.py,
tests/db/test_rights.py, tests/db/test_limits.py. For an unpaid violation:
tests/core/test_access.py.

Told elsewhere in this catalogue: plate not read (test_nobody_can_read_it.py), read uncertain or
unrated (test_reads.py), already inside (test_passback.py), payment due
(test_paying_at_the_exit.py), no entry found (test_misread_at_the_exit.py), closed
(test_by_hand.py), evacuation (test_evacuation.py), out of service (test_faults.py), full zone
(test_nested_zones.py).
"""

import asyncio
from datetime import timedelta

import pytest

from gated.core.opening import OpeningHours, OpeningWindow
from gated.core.reasons import GrantReason
from gated.core.site import Admits, LanePolicy
from gated.core.snapshot import Group
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.fakes.store import FakeLimit, FakeSubscription, FakeVehicle
from tests.scenarios.story import Story, told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

HOLDERS_ONLY = LanePolicy(admits=Admits.ENTITLED)
# The stories begin at half past nine on a Monday, on the clock on the wall.
FROM_TEN = OpeningHours(
    (OpeningWindow(10 * 60, 22 * 60),), frozenset(), frozenset({GrantReason.SUBSCRIPTION}),
    "Europe/Berlin",
)  # fmt: skip


async def is_refused(story: Story, reason: str, shown: str) -> None:
    """It drives up, reads why it may not pass, and nothing opens for it; it goes away."""
    before, opened = len(story.refusals()), story.opened("entry")
    story.drives_up("entry")
    await story.until(lambda: story.refusals()[before:] == [reason])
    await story.until(lambda: story.commands("entry")[-1:] == ["deny"])
    assert shown in (story.displays("entry")[-1] or "")
    await asyncio.sleep(30)
    assert story.opened("entry") == opened
    assert CAR not in story.inside
    story.backs_off("entry")
    await story.reaches("entry", "idle")
    await asyncio.sleep(30)


def subscribes(story: Story, *, entries: int | None = None, days: int = 365) -> FakeSubscription:
    """The car is registered, and its holder has a subscription that ends in so many days."""
    place = story.place
    vehicle = FakeVehicle(CAR, user=place.ids.new())
    assert vehicle.user is not None
    place.store.vehicles.append(vehicle)
    ends = place.clock.now() + timedelta(days=days)
    right = FakeSubscription(vehicle.user, entries, ends)
    place.rows.subscriptions.append(right)
    return right


async def test_the_facility_is_full_until_somebody_leaves(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        await story.passes("entry", OTHER_CAR)
        await is_refused(story, "full_facility", "car park full")
        await story.passes("exit", OTHER_CAR)
        await story.passes("entry")
        assert story.inside == [CAR]


async def test_there_is_room_but_none_for_transients(until: Until) -> None:
    async with told(until) as story:
        story.place.rows.limits.append(FakeLimit(None, Group.TRANSIENT, 1))
        await story.passes("entry", OTHER_CAR)
        await is_refused(story, "full_class", "No suitable space")


async def test_blocked(until: Until) -> None:
    async with told(until) as story:
        story.place.store.vehicles.append(FakeVehicle(CAR, blocked=True))
        await is_refused(story, "blocked", "Access refused")


async def test_blocked_while_inside_it_is_let_out(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        story.place.store.vehicles.append(FakeVehicle(CAR, blocked=True))
        await story.passes("exit")
        assert story.inside == []


async def test_outside_opening_hours_until_the_hour_comes(until: Until) -> None:
    async with told(until, opening=FROM_TEN) as story:
        await is_refused(story, "outside_opening_hours", "10:00")
        await asyncio.sleep(1800)
        await story.passes("entry")
        assert story.inside == [CAR]


async def test_whose_right_holds_at_any_hour_comes_in(until: Until) -> None:
    async with told(until, opening=FROM_TEN) as story:
        subscribes(story)
        await story.passes("entry")
        assert story.inside == [CAR]


async def test_a_stranger_where_rights_alone_open(until: Until) -> None:
    async with told(until, policy=HOLDERS_ONLY) as story:
        await is_refused(story, "not_permitted", "Permit holders only")


async def test_a_right_that_has_expired(until: Until) -> None:
    async with told(until, policy=HOLDERS_ONLY) as story:
        subscribes(story, days=-1)
        await is_refused(story, "right_expired", "has expired")


async def test_a_right_that_is_used_up(until: Until) -> None:
    async with told(until, policy=HOLDERS_ONLY) as story:
        right = subscribes(story, entries=1)
        await story.passes("entry")
        await story.passes("exit")
        assert right.entries == 0
        await is_refused(story, "right_used_up", "is used up")


async def test_a_read_that_comes_too_late_opens_nothing_and_tells_nobody(until: Until) -> None:
    async with told(until) as story:
        await story.passes("entry", OTHER_CAR)
        story.stands("entry")
        story.is_read("entry", CAR, seconds_ago=60)
        await until(lambda: story.refusals() == ["read_too_old"])
        assert story.commands("entry") == ["open"]  # the one before
        assert story.inside == [OTHER_CAR]
        story.is_read("entry", CAR)
        await story.opens("entry", 2)
