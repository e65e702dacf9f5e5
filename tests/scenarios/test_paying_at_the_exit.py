"""Nobody leaves unpaid: the amount is shown, and the lane opens by itself once it is paid."""

import asyncio
from datetime import timedelta

import pytest

from gated.core.site import LanePolicy, UnpaidExit
from gated.core.snapshot import Entitlement, Right
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.fakes.store import FakeSubscription
from tests.scenarios.story import Story, told, told_on

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


async def asked_to_pay(story: Story) -> str:
    """It drives up unpaid, and is asked for 5.00; its ticket."""
    stay = await story.visits()
    story.drives_up("exit")
    await story.reaches("exit", "awaiting_payment")
    await asyncio.sleep(20)
    assert story.asked == ["5.00"]
    return stay.ticket


async def test_a_presence_loop_that_flickers_makes_nobody_forgotten(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        ticket = await asked_to_pay(story)
        story.backs_off("exit")
        await asyncio.sleep(1)
        story.stands("exit")
        await asyncio.sleep(30)
        await story.reaches("exit", "awaiting_payment")
        story.pays(ticket, "5.00")
        await story.opens("exit")
        assert story.asked == ["5.00"]
        assert story.displays("exit") == ["Please pay\n5.00 EUR"]


async def test_who_pays_while_it_rolls_back_is_let_out_when_it_is_there_again(
    until: Until,
) -> None:
    async with told(until, policy=WAITS) as story:
        ticket = await asked_to_pay(story)
        story.backs_off("exit")
        await asyncio.sleep(1)
        story.pays(ticket, "5.00")
        await asyncio.sleep(3)
        assert story.opened("exit") == 0
        story.stands("exit")
        await story.opens("exit")


async def test_another_one_in_its_place_is_not_let_out_by_its_payment(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        other = await story.visits(OTHER_CAR)
        ticket = await asked_to_pay(story)
        story.backs_off("exit")
        await asyncio.sleep(3)
        story.drives_up("exit", OTHER_CAR)
        await until(lambda: len(story.asked) == 2)
        story.pays(ticket, "5.00")
        await asyncio.sleep(30)
        assert story.opened("exit") == 0
        story.pays(other.ticket, story.asked[-1])
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: story.inside == [CAR])


async def test_who_rolls_as_far_as_the_arm_and_back_may_pay_yet(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        ticket = await asked_to_pay(story)
        story.says("exit", "closing on")
        await asyncio.sleep(1)
        story.says("exit", "closing off")
        await asyncio.sleep(30)
        assert story.phase("exit") == "awaiting_payment"
        assert story.violations == []
        story.pays(ticket, "5.00")
        await story.opens("exit")
        assert story.asked == ["5.00"]
        story.drives_through("exit")
        await until(lambda: story.inside == [])
        assert story.violations == []


async def test_and_pay_while_it_stands_under_the_arm(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        ticket = await asked_to_pay(story)
        story.says("exit", "closing on")
        story.pays(ticket, "5.00")
        await story.opens("exit")
        story.says("exit", "presence off")
        story.says("exit", "closing off")
        await until(lambda: story.stay_of(CAR).exit_known is not None)
        assert story.violations == []


async def test_rolled_back_in_a_lane_that_is_held_open_then_it_is_known_who_leaves(
    until: Until,
) -> None:
    async with told(until, policy=WAITS) as story:
        await asked_to_pay(story)
        story.says("exit", "closing on")
        story.says("exit", "closing off")
        await asyncio.sleep(2)
        assert await story.operator("hold", lane="exit") is None
        await story.reaches("exit", "held")
        story.drives_through("exit")
        await until(lambda: story.inside == [])
        assert (story.violations, story.cases) == ([], [])


class TestAfterARestart:
    """Or when another daemon takes the facility over."""

    async def test_a_payment_opens_as_it_would_have_before(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            ticket = await asked_to_pay(story)
        async with told_on(story, until) as story:
            await asyncio.sleep(30)
            assert story.phase("exit") == "awaiting_payment"
            assert story.call("exit") is None
            assert story.commands("exit") == ["deny"], "no command at start-up"
            story.pays(ticket, "5.00")
            await story.opens("exit")
            assert story.asked == ["5.00"]
            story.drives_through("exit")
            await until(lambda: story.stay_of(CAR).exit_known is not None)
            assert story.became("read") == ["decided", "decided"]

    async def test_also_where_the_box_says_again_and_again_how_its_loops_are(
        self, until: Until
    ) -> None:
        async with told(until, policy=WAITS) as story:
            for words in ("presence off", "closing off"):
                story.says("exit", words)
            ticket = await asked_to_pay(story)
            for _ in range(30):
                await asyncio.sleep(1)
                story.says("exit", "presence on")
                story.says("exit", "closing off")
        async with told_on(story, until) as story:
            await story.reaches("exit", "awaiting_payment")
            story.pays(ticket, "5.00")
            await story.opens("exit")

    async def test_it_is_looked_at_the_stay_anew(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            ticket = await asked_to_pay(story)
        async with told_on(story, until) as story:
            story.pays(ticket, "3.00")
            await until(lambda: story.asked == ["5.00", "2.00"])
            assert story.opened("exit") == 0
            story.pays(ticket, "2.00")
            await story.opens("exit")

    async def test_a_restart_after_the_restart_forgets_nobody_either(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            ticket = await asked_to_pay(story)
        async with told_on(story, until) as story:
            await story.reaches("exit", "awaiting_payment")
        async with told_on(story, until) as story:
            story.pays(ticket, "5.00")
            await story.opens("exit")

    async def test_what_was_paid_meanwhile_opens_once_it_is_read_again(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            stay = await story.visits()
            story.drives_up("exit")
            await story.reaches("exit", "awaiting_payment")
        # The web shop puts a right on the stay, and tells nobody.
        stay.entitlement = Entitlement(Right.STAFF)
        async with told_on(story, until) as story:
            await asyncio.sleep(30)
            assert story.opened("exit") == 0
            story.is_read("exit")
            await story.opens("exit")

    @pytest.mark.parametrize("repeated", [True, False])
    async def test_or_once_its_loop_says_again_that_it_is_on(
        self, until: Until, repeated: bool
    ) -> None:
        async with told(until, policy=WAITS) as story:
            stay = await story.visits()
            story.drives_up("exit")
            await story.reaches("exit", "awaiting_payment")
        stay.entitlement = Entitlement(Right.STAFF)
        async with told_on(story, until) as story:
            if repeated:
                story.stands("exit")
            await asyncio.sleep(10)
            assert story.opened("exit") == int(repeated)

    async def test_who_stands_there_for_long_gets_a_person(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            await asked_to_pay(story)
        async with told_on(story, until) as story:
            await asyncio.sleep(90)
            assert story.call("exit") is None
            await asyncio.sleep(20)
            assert story.call("exit") == "payment_waiting"

    @pytest.mark.parametrize("seconds_ago", [0.0, 20.0])
    async def test_who_leaves_is_not_let_out_any_more(
        self, until: Until, seconds_ago: float
    ) -> None:
        """Be it now, or while nobody listened; not even if the loop only flickered."""
        async with told(until, policy=WAITS) as story:
            ticket = await asked_to_pay(story)
            await asyncio.sleep(30)
        async with told_on(story, until) as story:
            story.says_late("exit", "presence off", seconds_ago)
            story.says_late("exit", "presence on", seconds_ago)
            await story.reaches("exit", "occupied")
            story.pays(ticket, "5.00")
            await asyncio.sleep(30)
            assert story.opened("exit") == 0
            assert story.call("exit") == "plate_unread"

    async def test_nor_who_had_moved_before_already(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            ticket = await asked_to_pay(story)
            story.backs_off("exit")
            story.stands("exit")
            await asyncio.sleep(5)
            assert story.phase("exit") == "awaiting_payment"
        async with told_on(story, until) as story:
            await story.reaches("exit", "occupied")
            story.pays(ticket, "5.00")
            await asyncio.sleep(30)
            assert story.opened("exit") == 0
            assert story.call("exit") == "plate_unread"

    async def test_nor_who_had_rolled_onto_the_closing_loop(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            ticket = await asked_to_pay(story)
            story.says("exit", "closing on")
            story.says("exit", "closing off")
            await asyncio.sleep(5)
        async with told_on(story, until) as story:
            await story.reaches("exit", "occupied")
            story.pays(ticket, "5.00")
            await asyncio.sleep(30)
            assert story.opened("exit") == 0

    async def test_another_one_that_is_read_is_served_in_its_place(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            await story.visits(OTHER_CAR)
            ticket = await asked_to_pay(story)
        async with told_on(story, until) as story:
            await story.reaches("exit", "awaiting_payment")
            story.is_read("exit", OTHER_CAR)
            await until(lambda: len(story.asked) == 2)
            story.pays(ticket, "5.00")
            await asyncio.sleep(30)
            assert story.opened("exit") == 0

    @pytest.mark.parametrize("heard_of_again", [True, False])
    async def test_who_drives_out_is_accused_only_if_it_was_heard_of_again(
        self, until: Until, heard_of_again: bool
    ) -> None:
        """It may have paid, or been let out, while nobody looked."""
        async with told(until, policy=WAITS) as story:
            stay = await story.visits()
            story.drives_up("exit")
            await story.reaches("exit", "awaiting_payment")
        async with told_on(story, until) as story:
            await story.reaches("exit", "awaiting_payment")
            if heard_of_again:
                story.stands("exit")
            await asyncio.sleep(5)
            story.drives_through("exit")
            await until(lambda: stay.status == "COMPLETED")
            assert story.violations == (["exit_without_payment"] if heard_of_again else [])

    async def test_in_a_lane_that_was_closed_meanwhile_too(self, until: Until) -> None:
        async with told(until, policy=WAITS) as story:
            ticket = await asked_to_pay(story)
            assert await story.operator("lane_close", lane="exit") is None
        async with told_on(story, until) as story:
            await story.reaches("exit", "awaiting_payment")
            story.pays(ticket, "5.00")
            await story.opens("exit")
            story.drives_through("exit")
            await story.reaches("exit", "closed")

    async def test_where_no_loop_tells_that_it_is_there_soon_after_the_question_alone(
        self, until: Until
    ) -> None:
        async with told(until, policy=WAITS, presence_loop=False) as story:
            ticket = await asked_to_pay(story)
        async with told_on(story, until) as story:
            await asyncio.sleep(60)
            story.pays(ticket, "5.00")
            await story.opens("exit")

    @pytest.mark.parametrize("restarted_after", [10, 200])
    async def test_and_not_later(self, until: Until, restarted_after: float) -> None:
        async with told(until, policy=WAITS, presence_loop=False) as story:
            ticket = await asked_to_pay(story)
            await asyncio.sleep(restarted_after)
        async with told_on(story, until) as story:
            await asyncio.sleep(110)
            assert story.phase("exit") == "idle"
            story.pays(ticket, "10.00")
            await asyncio.sleep(30)
            assert story.opened("exit") == 0


async def test_a_lane_is_closed_behind_who_pays(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        ticket = await asked_to_pay(story)
        assert await story.operator("lane_close", lane="exit") is None
        await asyncio.sleep(10)
        await story.reaches("exit", "awaiting_payment")
        story.pays(ticket, "5.00")
        await story.opens("exit")
        story.drives_through("exit")
        await story.reaches("exit", "closed")
        story.drives_up("exit", OTHER_CAR)
        await until(lambda: story.refusals() == ["closed"])


async def test_where_no_loop_tells_that_it_is_there_a_late_payment_opens_too(
    until: Until,
) -> None:
    async with told(until, policy=WAITS, presence_loop=False) as story:
        ticket = await asked_to_pay(story)
        await asyncio.sleep(300)
        story.pays(ticket, "5.00")
        await story.opens("exit")
        assert story.displays("exit") == ["Please pay\n5.00 EUR"]


async def test_but_not_one_that_comes_when_nobody_can_be_there_any_more(until: Until) -> None:
    async with told(until, policy=WAITS, presence_loop=False) as story:
        ticket = await asked_to_pay(story)
        await story.reaches("exit", "idle")
        story.pays(ticket, "10.00")
        await asyncio.sleep(30)
        assert story.opened("exit") == 0


async def test_who_does_not_pay_for_long_gets_a_person(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        ticket = await asked_to_pay(story)
        await asyncio.sleep(90)
        assert story.call("exit") is None
        await asyncio.sleep(20)
        assert story.call("exit") == "payment_waiting"
        await asyncio.sleep(60)
        story.pays(ticket, "5.00")
        await story.opens("exit")
        assert story.calls("exit") == [None, "payment_waiting", None]


async def test_and_rings_for_nobody_who_has_left(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        await asked_to_pay(story)
        await asyncio.sleep(120)
        story.backs_off("exit")
        await story.reaches("exit", "idle")
        assert story.calls("exit") == [None, "payment_waiting", None]


async def test_the_price_runs_on_while_it_stands_there(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        ticket = await asked_to_pay(story)
        await until(lambda: story.asked == ["5.00", "7.50"])
        story.pays(ticket, "5.00")
        await until(lambda: story.asked == ["5.00", "7.50", "2.50"])
        assert story.displays("exit")[-1] == "Still to pay\n2.50 EUR"
        story.pays(ticket, "2.50")
        await story.opens("exit")
