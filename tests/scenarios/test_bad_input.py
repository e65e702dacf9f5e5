"""What makes no sense: it has a name, it is recorded and answered, and it never opens anything.

Messages that cannot be understood at all: tests/codecs/test_hostile.py and
tests/e2e/test_bad_input.py. Every event in every state of a lane: tests/core/test_every_pair.py,
and in any order: tests/core/test_properties.py.
"""

import asyncio
from decimal import Decimal

import pytest

from gated.core.effects import PassageKnown
from gated.core.money import Money
from gated.core.site import LanePolicy, UnpaidExit
from gated.records import PaymentOutcome, PaymentTakenAnswer
from tests.actors.conftest import Events, Until
from tests.actors.support import CAR, OTHER_CAR
from tests.fakes.operations import FakeOperator
from tests.fakes.store import Stay
from tests.scenarios.story import Story, told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)


async def is_served_after_that(story: Story) -> None:
    """All that was said is done with, and the lane serves the next one as ever."""
    await story.until(lambda: story.unsettled == [])
    await story.passes("entry")
    assert story.inside == [CAR]


async def waits_at_the_exit(story: Story) -> Stay:
    """It has been here for an hour, owes 2.50, and stands at the exit."""
    stay = await story.visits(seconds=3000)
    story.drives_up("exit")
    await story.until(lambda: story.asked == ["2.50"])
    return stay


def refused_payments(events: Events) -> list[str]:
    return [str(one["outcome"]) for one in events if one["event"] == "payment.refused"]


async def test_a_closing_loop_without_an_opening(until: Until) -> None:
    async with told(until) as story:
        story.says("entry", "closing on")
        story.says("entry", "closing off")
        await until(lambda: story.unsettled == [])
        await asyncio.sleep(30)
        assert story.commands("entry") == []
        assert story.stays == []
        assert story.phase("entry") == "idle"
        await is_served_after_that(story)


@pytest.mark.parametrize(
    "words", [("presence off",), ("closing off",), ("closing off", "presence off", "closing off")]
)
async def test_loops_that_clear_before_anybody_was_on_them(
    words: tuple[str, ...], until: Until
) -> None:
    async with told(until) as story:
        for word in words:
            story.says("entry", word)
        await asyncio.sleep(30)
        assert story.commands("entry") == []
        await is_served_after_that(story)


async def test_an_arm_that_tells_of_itself_what_nobody_asked_of_it(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        for state in ("closed", "moving", "closed", "closed"):
            story.arm("entry", state)
        await until(lambda: story.unsettled == [])
        await asyncio.sleep(60)
        assert story.commands("entry") == []
        assert story.violations == []


async def test_presence_is_told_gone_before_the_closing_loop_is_told_on(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        await story.opens("entry")
        for word in ("presence off", "closing on", "closing off"):
            story.says("entry", word)
        await until(lambda: story.stays[0].entry_known is PassageKnown.MEASURED)
        assert story.inside == [CAR]
        assert story.opened("entry") == 1


async def test_a_vehicle_is_read_after_it_has_gone(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        story.backs_off("entry")
        story.is_read("entry")
        await asyncio.sleep(60)
        assert story.opened("entry") == 0
        assert story.refusals() == ["no_presence"]


async def test_a_payment_for_a_ticket_that_nobody_has(until: Until, log_events: Events) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await waits_at_the_exit(story)
        number = story.pays("T999999", "2.50")
        assert await story.receipt(number) == "booking_unknown"
        assert refused_payments(log_events) == ["booking_unknown"]
        assert [event.error for event in story.place.rows.events.values() if event.error] == [
            "booking_unknown"
        ]
        await asyncio.sleep(10)
        assert story.opened("exit") == 0
        assert stay.status == "ACTIVE"


async def test_a_payment_in_another_currency(until: Until, log_events: Events) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await waits_at_the_exit(story)
        number = story.pays(stay.ticket, "2.50", currency="CHF")
        assert await story.receipt(number) == "currency_mismatch"
        assert refused_payments(log_events) == ["currency_mismatch"]
        await asyncio.sleep(10)
        assert story.opened("exit") == 0
        story.pays(stay.ticket, "2.50")
        await story.opens("exit")


async def test_a_payment_told_twice_counts_once(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await waits_at_the_exit(story)
        number = story.pays(stay.ticket, "1.25")
        await until(lambda: story.asked == ["2.50", "1.25"])
        first = await story.receipt(number)
        story.pays(stay.ticket, "1.25", number=number)
        assert await story.receipt(number, times=2) == first
        await asyncio.sleep(60)
        assert story.opened("exit") == 0
        assert story.asked == ["2.50", "1.25"]
        story.pays(stay.ticket, "1.25")
        await story.opens("exit")


async def test_a_payment_told_by_two_messages_counts_once(until: Until) -> None:
    """As a machine does that was restarted before it had its answer."""
    async with told(until, policy=WAITS) as story:
        stay = await waits_at_the_exit(story)
        first = story.pays(stay.ticket, "1.25")
        second = story.pays(stay.ticket, "1.25", txn=first)
        receipts = [await story.receipt(number) for number in (first, second)]
        assert receipts == [
            PaymentTakenAnswer(word, stay.ticket, Money(Decimal("1.25"), "EUR"))
            for word in (PaymentOutcome.PART_PAID, PaymentOutcome.TOLD_BEFORE)
        ]
        await asyncio.sleep(60)
        assert story.opened("exit") == 0
        assert story.asked == ["2.50", "1.25"]


async def test_a_payment_is_told_again_as_another_one(until: Until, log_events: Events) -> None:
    """The same transaction, for another amount, or for another vehicle."""
    async with told(until, policy=WAITS) as story:
        other = await story.passes("entry", OTHER_CAR)
        stay = await waits_at_the_exit(story)
        first = story.pays(stay.ticket, "1.25")
        await until(lambda: story.asked == ["2.50", "1.25"])
        for ticket, amount in ((stay.ticket, "2.50"), (other.ticket, "1.25")):
            number = story.pays(ticket, amount, txn=first)
            assert await story.receipt(number) == "told_differently"
        assert refused_payments(log_events) == ["told_differently"] * 2
        await asyncio.sleep(60)
        assert story.opened("exit") == 0
        assert story.place.rows.paid == {stay.id: Decimal("1.25")}


async def test_a_payment_that_nobody_can_read(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        stay = await waits_at_the_exit(story)
        number = story.pays(stay.ticket, "two fifty")
        assert await story.receipt(number) == "bad_request"
        await asyncio.sleep(60)
        assert story.opened("exit") == 0


async def test_an_operator_without_the_right(until: Until) -> None:
    async with told(until) as story:
        story.place.rows.operations.operators["eve"] = FakeOperator(frozenset({"waive"}))
        story.stands("entry")
        for do in ("open", "hold", "lane_close"):
            assert await story.operator(do, by="eve", lane="entry") == "not_permitted"
        assert await story.operator("evacuate", by="eve") == "not_permitted"
        await asyncio.sleep(5)
        assert story.opened("entry") == 0
        assert story.commands("exit") == []
        acts = story.place.rows.operations.acts
        assert [act.outcome.value for act in acts] == ["not_permitted"] * 4


async def test_somebody_who_is_no_operator(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("open", by="mallory", lane="entry") == "user_unknown"
        await asyncio.sleep(5)
        assert story.commands("entry") == []


@pytest.mark.parametrize("do", ["open", "hold", "lane_close"])
async def test_an_operator_without_a_reason(do: str, until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        assert await story.operator(do, lane="entry", reason="") == "reason_missing"
        await asyncio.sleep(5)
        assert story.opened("entry") == 0
        assert "hold" not in story.commands("entry")
