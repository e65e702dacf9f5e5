"""Granted, then reversed: an admission is undone, a stay goes on."""

import asyncio

import pytest

from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR, ZONE
from tests.fakes.store import FakeSubscription, FakeVehicle
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def test_at_an_entry_the_spot_is_free_again(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        story.drives_up("entry")
        await story.opens("entry")
        assert story.place.rows.free[ZONE] == []
        story.backs_off("entry")
        await until(lambda: [stay.status for stay in story.stays] == ["CANCELLED"])
        assert story.stays[0].cancel_reason == "no_passage"
        assert len(story.place.rows.free[ZONE]) == 1
        story.drives_up("entry", OTHER_CAR)
        await story.opens("entry", 2)


async def test_the_entry_is_given_back_to_the_subscription(until: Until) -> None:
    async with told(until) as story:
        rows = story.place.rows
        vehicle = FakeVehicle(CAR, user=story.place.ids.new())
        story.place.store.vehicles.append(vehicle)
        assert vehicle.user is not None
        right = FakeSubscription(vehicle.user, 3, story.place.clock.now().replace(year=2030))
        rows.subscriptions.append(right)
        story.drives_up("entry")
        await story.opens("entry")
        assert right.entries == 2
        story.backs_off("entry")
        await until(lambda: right.entries == 3)


async def test_at_an_exit_the_stay_goes_on_at_the_price_it_had(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.opens("exit")
        price = stay.price
        story.backs_off("exit")
        await story.reaches("exit", "idle")
        await asyncio.sleep(60)
        story.drives_up("exit")
        await story.opens("exit", 2)
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert stay.price == price


async def test_rolling_back_onto_the_loop_is_no_back_out(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.backs_off("entry")
        await asyncio.sleep(3)
        story.stands("entry")
        await asyncio.sleep(30)
        story.drives_through("entry")
        await until(lambda: story.stays[0].entry_known is not None)
        assert story.inside == [CAR]
