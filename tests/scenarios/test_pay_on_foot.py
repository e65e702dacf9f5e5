"""Paid at a machine, then driven out: nothing is asked for at the exit, as long as the grace lasts.

The amounts to the minute, refunds and other ways to pay: tests/db/test_payments.py. The web shop's
own rows: tests/db/test_web_shop.py.
"""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from gated.core.money import Money
from gated.core.site import LanePolicy, UnpaidExit
from gated.records import PaymentOutcome, PaymentTakenAnswer
from tests.actors.conftest import Until
from tests.actors.support import CAR
from tests.fakes.store import FakeSubscription, FakeVehicle, Stay
from tests.scenarios.story import Story, told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

# 2.50 for each hour that has begun, and a quarter of an hour to leave once that is paid.
WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)
MINUTE = 60.0


async def leaves(story: Story, stay: Stay) -> None:
    """The exit opens, and it is gone."""
    await story.opens("exit")
    story.drives_through("exit")
    await story.until(lambda: stay.exit_known is not None)
    assert story.inside == []


async def test_who_has_paid_is_let_out_and_asked_for_nothing(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits(seconds=30 * MINUTE)
        at = story.place.clock.now()
        receipt = await story.receipt(story.pays(stay.ticket, "2.50"))
        assert receipt == PaymentTakenAnswer(
            PaymentOutcome.PAID,
            stay.ticket,
            Money(Decimal("0.00"), "EUR"),
            grace_until=at + timedelta(minutes=15),
        )
        await asyncio.sleep(5 * MINUTE)
        story.drives_up("exit")
        await leaves(story, stay)
        assert story.asked == []
        assert str(stay.price) == "2.50 EUR"


async def test_within_the_grace_the_next_hour_costs_nothing(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits(seconds=55 * MINUTE)
        story.pays(stay.ticket, "2.50")
        await asyncio.sleep(14 * MINUTE)
        story.drives_up("exit")
        await leaves(story, stay)
        assert story.asked == []
        assert str(stay.price) == "2.50 EUR"


async def test_who_overstays_the_grace_pays_the_difference(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits(seconds=55 * MINUTE)
        story.pays(stay.ticket, "2.50")
        await asyncio.sleep(16 * MINUTE)
        story.drives_up("exit")
        await until(lambda: story.asked == ["2.50"])
        assert story.opened("exit") == 0
        story.pays(stay.ticket, "2.50")
        await leaves(story, stay)
        assert str(stay.price) == "5.00 EUR"


async def test_who_has_paid_a_part_is_asked_for_the_rest(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits(seconds=30 * MINUTE)
        receipt = await story.receipt(story.pays(stay.ticket, "1.00"))
        assert receipt == PaymentTakenAnswer(
            PaymentOutcome.PART_PAID, stay.ticket, Money(Decimal("1.50"), "EUR")
        )
        story.drives_up("exit")
        await until(lambda: story.asked == ["1.50"])
        assert story.opened("exit") == 0
        story.pays(stay.ticket, "1.50")
        await leaves(story, stay)


async def test_what_somebody_takes_by_hand_is_paid_like_any_other(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits(seconds=30 * MINUTE)
        answer = await story.operator("pay", ticket=stay.ticket, amount="2.50", currency="EUR")
        assert answer is None
        story.drives_up("exit")
        await leaves(story, stay)
        assert story.asked == []


async def test_who_parks_on_account_is_asked_for_nothing(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        place = story.place
        vehicle = FakeVehicle(CAR, user=place.ids.new())
        assert vehicle.user is not None
        place.store.vehicles.append(vehicle)
        right = FakeSubscription(vehicle.user, None, place.clock.now().replace(year=2030))
        place.rows.subscriptions.append(right)
        stay = await story.visits(seconds=30 * MINUTE)
        story.drives_up("exit")
        await leaves(story, stay)
        assert story.asked == []
        assert str(stay.price) == "0.00 EUR"


async def test_one_that_has_paid_can_still_not_be_stolen_by_another_plate(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits(seconds=30 * MINUTE)
        story.pays(stay.ticket, "2.50")
        await asyncio.sleep(1)
        story.drives_up_unread("exit")
        await until(lambda: story.refusals() == ["plate_unread"])
        await asyncio.sleep(30)
        assert story.opened("exit") == 0
        assert story.inside == [CAR]
