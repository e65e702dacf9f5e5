"""Granted, then reversed: an admission is undone, a stay goes on."""

import asyncio
from decimal import Decimal

import pytest

from gated.core.effects import PassageKnown
from gated.core.money import Money
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR, ZONE
from tests.fakes.store import FakeSubscription, FakeVehicle, Stay
from tests.scenarios.story import HOUR, Story, told, told_on

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


async def backs_out_of_the_exit(story: Story) -> Stay:
    """Let out after an hour, and back inside; its stay."""
    stay = await story.visits()
    story.drives_up("exit")
    await story.opens("exit")
    assert (stay.status, stay.price) == ("COMPLETED", Money(Decimal("5.00"), "EUR"))
    story.backs_off("exit")
    await story.until(lambda: stay.status == "ACTIVE")
    return stay


async def test_at_an_exit_the_stay_goes_on_and_is_priced_when_it_leaves(until: Until) -> None:
    async with told(until, spots=("1",)) as story:
        stay = await backs_out_of_the_exit(story)
        assert (stay.exit_at, stay.exit_lane, stay.price) == (None, None, None)
        assert stay.spot_number == "1"
        assert story.place.rows.free[ZONE] == []
        assert "exit_not_passed no_passage" in story.notes
        await asyncio.sleep(HOUR)
        story.drives_up("exit")
        await story.opens("exit", 2)
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert stay.price == Money(Decimal("7.50"), "EUR")
        assert story.inside == []


async def test_who_backed_out_of_an_exit_may_come_again_at_once(until: Until) -> None:
    async with told(until) as story:
        stay = await backs_out_of_the_exit(story)
        story.drives_up("exit")
        await story.opens("exit", 2)
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert (stay.status, stay.price) == ("COMPLETED", Money(Decimal("5.00"), "EUR"))


async def test_the_stay_goes_on_though_the_daemon_was_away_when_it_backed_out(
    until: Until,
) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.opens("exit")
    async with told_on(story, until) as story:
        story.backs_off("exit")
        await until(lambda: stay.status == "ACTIVE")
    async with told_on(story, until) as story:
        await story.reaches("exit", "idle")
        assert story.inside == [CAR]


async def test_its_spot_is_given_away_meanwhile_and_it_is_inside_all_the_same(
    until: Until,
) -> None:
    async with told(until, spots=("1",)) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.opens("exit")
        story.drives_up("entry", OTHER_CAR)
        await story.opens("entry", 2)
        story.drives_through("entry")
        story.backs_off("exit")
        await until(lambda: stay.status == "ACTIVE")
        assert stay.spot is None
        assert story.place.rows.reconciled == [("over_capacity", stay.id)]


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


# ── and drives to the entry beside it ───────────────────────────────────────────────────────


async def test_at_another_entry_it_is_let_in_at_once_with_the_same_stay(until: Until) -> None:
    async with told(until, second_entry=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.backs_off("entry")
        await asyncio.sleep(2)
        story.drives_up("entry-2")
        await story.opens("entry-2")
        # The first lane has done with it at once, and undoes nothing when its time is over.
        await story.reaches("entry", "idle")
        await asyncio.sleep(10)
        (stay,) = story.stays
        assert stay.status == "ACTIVE"
        story.drives_through("entry-2")
        await until(lambda: stay.entry_known is PassageKnown.MEASURED)
        assert (story.inside, story.refusals(), story.cases) == ([CAR], [], [])


async def test_who_passes_the_first_entry_all_the_same_is_somebody_else(until: Until) -> None:
    async with told(until, second_entry=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.backs_off("entry")
        await asyncio.sleep(2)
        story.drives_up("entry-2")
        await story.opens("entry-2")
        await story.reaches("entry", "idle")
        for word in ("closing on", "closing off"):
            story.says("entry", word)
        await until(lambda: story.inside == [CAR, None])
        assert "passage_without_grant unexplained" in story.notes
        assert story.violations == []
        stay = story.stay_of(CAR)
        assert stay.entry_known is None
        story.drives_through("entry-2")
        await until(lambda: stay.entry_known is PassageKnown.MEASURED)


async def test_turning_back_at_the_second_entry_too_it_is_not_inside(until: Until) -> None:
    async with told(until, second_entry=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.backs_off("entry")
        story.drives_up("entry-2")
        await story.opens("entry-2")
        story.backs_off("entry-2")
        await until(lambda: story.inside == [])
        assert [stay.status for stay in story.stays] == ["CANCELLED"]
        # And may come again.
        await story.passes("entry")


async def test_while_it_stands_at_the_first_entry_its_plate_is_refused_at_another(
    until: Until,
) -> None:
    async with told(until, second_entry=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.drives_up("entry-2")
        await until(lambda: story.refusals() == ["already_inside"])
        assert story.opened("entry-2") == 0
        story.drives_through("entry")
        await until(lambda: story.stay_of(CAR).entry_known is PassageKnown.MEASURED)
