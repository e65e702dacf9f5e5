"""Nobody leaves unpaid: the amount is shown, and the lane opens by itself once it is paid."""

import asyncio
from datetime import timedelta

import pytest

from gated.core.site import LanePolicy, UnpaidExit
from gated.core.snapshot import Entitlement, Right
from tests.actors.conftest import Until
from tests.actors.support import OTHER_CAR
from tests.fakes.store import FakeSubscription
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)


async def test_a_payment_opens_without_a_new_read(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        (asked,) = story.place.rows.asked
        story.place.pay(stay.ticket, str(asked.due.amount))
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)


async def test_a_part_of_it_shows_the_rest(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await until(lambda: len(story.place.rows.asked) == 1)
        due = story.place.rows.asked[0].due.amount
        story.place.pay(stay.ticket, "1.00")
        await until(lambda: len(story.place.rows.asked) == 2)
        assert story.place.rows.asked[1].due.amount == due - 1
        assert story.opened("exit") == 0


async def test_waived_by_an_operator_it_opens(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        assert await story.operator("waive", stay=str(stay.id)) is None
        await story.opens("exit")


async def test_a_right_that_comes_while_it_waits_opens_without_a_new_read(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        await until(lambda: story.commands("exit") == ["deny"])
        # Its driver takes a subscription in the web shop, which puts it on the stay and tells
        # nobody.
        place = story.place
        bought = FakeSubscription(place.ids.new(), None, place.clock.now() + timedelta(days=30))
        place.rows.subscriptions.append(bought)
        await asyncio.sleep(WAITS.payment_look_seconds + 1)
        assert story.phase("exit") == "awaiting_payment"
        stay.entitlement = Entitlement(Right.SUBSCRIPTION, bought.id)
        await asyncio.sleep(WAITS.payment_look_seconds + 1)
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert str(stay.price) == "0.00 EUR"
        # It was asked once, and never refused or read again.
        assert len(story.asked) == 1
        assert (story.refusals(), story.place.rows.paid) == ([], {})
        assert story.became("read") == ["decided", "decided"]


async def test_a_right_that_comes_for_another_stay_opens_nothing(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay, other = await story.visits(), await story.visits(OTHER_CAR)
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        other.entitlement = Entitlement(Right.STAFF)
        await asyncio.sleep(3 * WAITS.payment_look_seconds)
        assert story.opened("exit") == 0
        assert stay.status == "ACTIVE"


async def test_who_drives_out_unpaid_leaves_a_debt_and_a_violation(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        await asyncio.sleep(20)
        story.drives_through("exit")
        await until(lambda: story.violations == ["exit_without_payment"])
        assert stay.status == "COMPLETED"
        assert story.opened("exit") == 0


async def test_who_backs_off_still_parks_here(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        story.backs_off("exit")
        await story.reaches("exit", "idle")
        assert stay.status == "ACTIVE"
        assert story.violations == []
