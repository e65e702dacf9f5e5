"""Granted, then reversed: an admission is undone, a stay goes on."""

import asyncio
from decimal import Decimal

import pytest

from gated.core.effects import PassageKnown
from gated.core.money import Money
from gated.core.site import Admits, LanePolicy, UnpaidExit
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


def subscribes(story: Story, *, entries: int) -> FakeSubscription:
    """The car is registered, and its holder may come in so many times."""
    vehicle = FakeVehicle(CAR, user=story.place.ids.new())
    assert vehicle.user is not None
    story.place.store.vehicles.append(vehicle)
    right = FakeSubscription(vehicle.user, entries, story.place.clock.now().replace(year=2030))
    story.place.rows.subscriptions.append(right)
    return right


async def test_the_entry_is_given_back_to_the_subscription(until: Until) -> None:
    async with told(until) as story:
        right = subscribes(story, entries=3)
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


async def test_the_last_entry_of_a_subscription_opens_the_second_entry_too(until: Until) -> None:
    async with told(until, second_entry=True, policy=LanePolicy(admits=Admits.ENTITLED)) as story:
        right = subscribes(story, entries=1)
        story.drives_up("entry")
        await story.opens("entry")
        assert right.entries == 0
        story.backs_off("entry")
        await asyncio.sleep(2)
        story.drives_up("entry-2")
        await story.opens("entry-2")
        await story.reaches("entry", "idle")
        await asyncio.sleep(10)
        # The one entry is this stay's: neither taken twice nor given back.
        assert (right.entries, story.refusals()) == (0, [])
        story.backs_off("entry-2")
        await until(lambda: right.entries == 1)
        assert [stay.status for stay in story.stays] == ["CANCELLED"]


async def test_its_last_entry_opens_nothing_for_a_second_vehicle(until: Until) -> None:
    async with told(until, second_entry=True, policy=LanePolicy(admits=Admits.ENTITLED)) as story:
        subscribes(story, entries=1)
        story.drives_up("entry")
        await story.opens("entry")
        story.drives_up("entry-2")
        await until(lambda: story.refusals() == ["right_used_up"])
        assert story.opened("entry-2") == 0


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


async def another_takes_its_place(story: Story) -> None:
    """The one that may leave reverses, and the next one drives out under the arm that is up."""
    story.drives_up("exit", CAR)
    await story.opens("exit", story.opened("exit") + 1)
    story.backs_off("exit")
    await asyncio.sleep(3)


async def test_who_takes_its_place_at_an_exit_leaves_as_itself(until: Until) -> None:
    async with told(until) as story:
        turned, left = await story.visits(CAR), await story.visits(OTHER_CAR)
        await another_takes_its_place(story)
        story.drives_up("exit", OTHER_CAR)
        await story.opens("exit", 2)
        story.drives_through("exit")
        await until(lambda: left.exit_known is not None)
        assert (turned.status, left.status) == ("ACTIVE", "COMPLETED")
        assert story.violations == []
        assert "exit_not_passed no_passage" in story.notes
        await asyncio.sleep(20)
        story.drives_up("exit", CAR)
        await story.opens("exit", 3)
        story.drives_through("exit")
        await until(lambda: turned.exit_known is not None)
        assert story.inside == []


async def test_also_if_it_is_read_before_it_stands_there(until: Until) -> None:
    async with told(until) as story:
        turned, left = await story.visits(CAR), await story.visits(OTHER_CAR)
        await another_takes_its_place(story)
        story.is_read("exit", OTHER_CAR)
        story.stands("exit")
        await story.opens("exit", 2)
        story.drives_through("exit")
        await until(lambda: left.exit_known is not None)
        assert (turned.status, left.status) == ("ACTIVE", "COMPLETED")


async def test_also_if_it_is_read_under_the_arm_only_and_then_it_was_not_let_out(
    until: Until,
) -> None:
    async with told(until) as story:
        turned, left = await story.visits(CAR), await story.visits(OTHER_CAR)
        await another_takes_its_place(story)
        story.stands("exit")
        story.says("exit", "closing on")
        story.is_read("exit", OTHER_CAR)
        story.says("exit", "presence off")
        story.says("exit", "closing off")
        await until(lambda: left.status == "COMPLETED")
        await until(lambda: turned.status == "ACTIVE")
        assert story.violations == []
        assert "passage_without_grant unexplained" in story.notes


async def test_who_takes_its_place_at_an_entry_comes_in_as_itself(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry", CAR)
        await story.opens("entry")
        story.backs_off("entry")
        await asyncio.sleep(3)
        story.drives_up("entry", OTHER_CAR)
        await story.opens("entry", 2)
        story.drives_through("entry")
        await until(lambda: story.stay_of(OTHER_CAR).entry_known is not None)
        assert story.inside == [OTHER_CAR]
        assert story.stay_of(CAR).status == "CANCELLED"


async def test_who_rolled_back_and_is_read_again_goes_before_the_one_behind(
    until: Until,
) -> None:
    async with told(until) as story:
        story.drives_up("entry", CAR)
        await story.opens("entry")
        story.backs_off("entry")
        await asyncio.sleep(3)
        story.drives_up("entry", CAR)
        story.is_read("entry", OTHER_CAR)
        await asyncio.sleep(1)
        story.drives_through("entry")
        await until(lambda: story.stays[0].entry_known is not None)
        assert story.inside == [CAR]
        assert story.opened("entry") == 1


async def test_a_loop_that_flickers_does_not_make_it_another_one(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry", CAR)
        await story.opens("entry")
        story.backs_off("entry")
        await asyncio.sleep(1)
        story.stands("entry")
        story.is_read("entry", OTHER_CAR)
        await asyncio.sleep(1)
        story.drives_through("entry")
        await until(lambda: story.stays[0].entry_known is not None)
        assert story.inside == [CAR]


# ── who stops between the loops ─────────────────────────────────────────────────────────────


async def stops_between_the_loops(story: Story, lane: str) -> None:
    """A scooter, or one that stops behind the arm: on neither loop for longer than it may be."""
    story.drives_up(lane)
    await story.opens(lane, story.opened(lane) + 1)
    story.backs_off(lane)
    await asyncio.sleep(7)
    await story.reaches(lane, "idle")


async def drives_on(story: Story, lane: str) -> None:
    story.says(lane, "closing on")
    await asyncio.sleep(1)
    story.says(lane, "closing off")
    await asyncio.sleep(2)


async def test_who_stops_between_the_loops_of_an_entry_is_inside(until: Until) -> None:
    async with told(until) as story:
        await stops_between_the_loops(story, "entry")
        assert story.inside == []
        await drives_on(story, "entry")
        assert story.inside == [CAR]
        assert story.violations == []
        assert "passage_without_grant unexplained" in story.notes


async def test_who_stops_between_the_loops_of_an_exit_has_left(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        await stops_between_the_loops(story, "exit")
        assert stay.status == "ACTIVE"
        await drives_on(story, "exit")
        assert (stay.status, stay.price) == ("COMPLETED", Money(Decimal("5.00"), "EUR"))
        assert (story.violations, story.cases) == ([], [])
        story.drives_up("entry")
        await story.opens("entry", 2)


async def test_what_comes_after_a_minute_or_once_more_is_not_that_one(until: Until) -> None:
    async with told(until) as story:
        await stops_between_the_loops(story, "entry")
        await asyncio.sleep(60)
        await drives_on(story, "entry")
        assert story.inside == []
        await stops_between_the_loops(story, "entry")
        await drives_on(story, "entry")
        await asyncio.sleep(10)
        await drives_on(story, "entry")
        assert story.inside == [CAR]


async def test_who_has_stood_at_the_barrier_since_is_not_that_one(until: Until) -> None:
    async with told(until) as story:
        await stops_between_the_loops(story, "entry")
        story.stands("entry")
        story.backs_off("entry")
        await asyncio.sleep(10)
        await drives_on(story, "entry")
        assert story.inside == []


async def test_who_is_asked_to_pay_under_an_arm_that_is_up_for_another_is_not_accused(
    until: Until,
) -> None:
    async with told(until, policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT)) as story:
        paid, unpaid = await story.visits(CAR, seconds=HOUR), await story.visits(OTHER_CAR)
        story.drives_up("exit", CAR)
        await story.reaches("exit", "awaiting_payment")
        story.pays(paid.ticket, "10.00")
        await story.opens("exit", 1)
        story.backs_off("exit")
        await asyncio.sleep(3)
        story.drives_up("exit", OTHER_CAR)
        await story.reaches("exit", "awaiting_payment")
        story.drives_through("exit")
        await until(lambda: unpaid.status == "COMPLETED")
        assert story.violations == []
        assert unpaid.price is not None
        assert story.place.rows.due(unpaid, unpaid.price) == unpaid.price
        assert paid.status == "ACTIVE"
