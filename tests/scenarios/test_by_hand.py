"""What operators do at a lane: open once, hold, close; and what becomes of who drives through."""

import asyncio
from uuid import UUID

import pytest

from gated.core.effects import PassageKnown
from gated.core.site import LanePolicy, UnpaidExit
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import Story, told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT)


async def test_opened_once_for_a_vehicle_that_nobody_can_read(until: Until) -> None:
    async with told(until) as story:
        story.stands("entry")
        await story.reaches("entry", "denied")  # no camera said anything
        assert await story.operator("open", lane="entry") is None
        await story.reaches("entry", "let_through")
        story.drives_through("entry")
        await until(lambda: story.inside == [None])
        assert story.violations == []


async def test_opened_once_and_nobody_comes(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("open", lane="entry") is None
        await story.reaches("entry", "let_through")
        await story.reaches("entry", "idle")
        assert story.inside == []


async def test_held_open_everyone_passes_and_is_recorded(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("hold", lane="entry") is None
        await story.reaches("entry", "held")
        for plate in (CAR, OTHER_CAR):
            story.drives_up("entry", plate)
            await asyncio.sleep(1)
            story.drives_through("entry")
            await asyncio.sleep(5)
        await until(lambda: story.inside == [CAR, OTHER_CAR])
        assert story.commands("entry") == ["hold"]  # nothing else was needed
        assert await story.operator("release", lane="entry") is None
        await story.reaches("entry", "idle")


async def test_what_no_closing_loop_shows_is_assumed_and_says_so(until: Until) -> None:
    async with told(until, closing_loop=False) as story:
        assert await story.operator("hold", lane="entry") is None
        await story.reaches("entry", "held")
        story.drives_up("entry", CAR)
        await until(lambda: story.inside == [CAR])
        story.backs_off("entry")
        assert story.stay_of(CAR).entry_known is PassageKnown.ASSUMED
        assert await story.operator("open", lane="exit") is None
        await story.reaches("exit", "let_through")
        story.drives_up("exit", CAR)
        story.backs_off("exit")
        await until(lambda: story.inside == [])
        assert story.stay_of(CAR).exit_known is PassageKnown.ASSUMED


async def test_what_the_closing_loop_shows_is_measured(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("hold", lane="entry") is None
        await story.reaches("entry", "held")
        story.drives_up("entry", CAR)
        story.drives_through("entry")
        await until(lambda: story.inside == [CAR])
        assert story.stay_of(CAR).entry_known is PassageKnown.MEASURED
        assert await story.operator("open", lane="exit") is None
        await story.reaches("exit", "let_through")
        story.drives_up("exit", CAR)
        story.drives_through("exit")
        await until(lambda: story.inside == [])
        assert story.stay_of(CAR).exit_known is PassageKnown.MEASURED


async def test_an_exit_held_open_leaves_debts_behind(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        assert await story.operator("hold", lane="exit") is None
        story.drives_up("exit")
        await asyncio.sleep(1)
        story.drives_through("exit")
        await until(lambda: stay.status == "COMPLETED")
        assert stay.price is not None
        assert stay.price.amount > 0


async def test_a_lane_closed_for_traffic_refuses_and_says_why(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("lane_close", lane="entry") is None
        await story.reaches("entry", "closed")
        story.drives_up("entry")
        await until(lambda: story.refusals() == ["closed"])
        assert story.opened("entry") == 0
        story.backs_off("entry")
        assert await story.operator("lane_open", lane="entry") is None
        await asyncio.sleep(30)
        story.drives_up("entry")
        await story.opens("entry")


async def test_a_lane_is_closed_behind_the_vehicle_that_is_being_served(until: Until) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        await story.opens("entry")
        assert await story.operator("lane_close", lane="entry") is None
        assert story.phase("entry") == "opening"
        story.drives_through("entry")
        await story.reaches("entry", "closed")
        assert story.inside == [CAR]


async def test_without_a_reason_nothing_is_done(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("open", lane="entry", reason=" ") == "reason_missing"
        await asyncio.sleep(10)
        assert story.commands("entry") == []


async def opened_for_one_that_turns_back(story: Story) -> None:
    """Two are inside; the first is asked to pay, is opened for by hand, and turns back."""
    for plate in (CAR, OTHER_CAR):
        await story.visits(plate)
    story.drives_up("exit", CAR)
    await story.reaches("exit", "awaiting_payment")
    assert await story.operator("open", lane="exit") is None
    await story.reaches("exit", "let_through")
    story.backs_off("exit")


async def test_who_comes_when_that_one_has_turned_back_is_served_by_its_own_plate(
    until: Until,
) -> None:
    async with told(until, policy=WAITS) as story:
        await opened_for_one_that_turns_back(story)
        await asyncio.sleep(8)
        story.drives_up("exit", OTHER_CAR)
        await until(lambda: len(story.asked) == 2)
        assert "nobody_passed" in story.notes
        story.pays(story.stay_of(OTHER_CAR).ticket, story.asked[-1])
        await story.opens("exit", 2)
        story.drives_through("exit")
        await until(lambda: story.inside == [CAR])


async def test_who_comes_at_once_and_drives_out_on_it_leaves_by_its_own_stay(
    until: Until,
) -> None:
    async with told(until, policy=WAITS) as story:
        await opened_for_one_that_turns_back(story)
        await asyncio.sleep(3)
        story.drives_up("exit", OTHER_CAR)
        await asyncio.sleep(2)
        story.drives_through("exit")
        await until(lambda: story.inside == [CAR])
        assert story.violations == []


async def test_who_was_opened_for_and_rolls_back_a_little_is_still_the_one(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        await opened_for_one_that_turns_back(story)
        await asyncio.sleep(3)
        story.stands("exit")
        await asyncio.sleep(20)
        story.drives_through("exit")
        await until(lambda: story.inside == [OTHER_CAR])


async def test_who_takes_long_from_one_loop_to_the_other_is_still_the_one(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        await opened_for_one_that_turns_back(story)
        await asyncio.sleep(20)
        story.says("exit", "closing on")
        story.says("exit", "closing off")
        await until(lambda: story.inside == [OTHER_CAR])


async def test_opened_once_more_it_has_its_time_anew(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        assert await story.operator("open", lane="entry") is None
        story.arm("entry", "opened")
        await asyncio.sleep(20)
        story.arm("entry", "closed")
        await asyncio.sleep(35)
        assert await story.operator("open", lane="entry") is None
        await asyncio.sleep(20)
        story.arm("entry", "opened")
        story.drives_through("entry")
        await until(lambda: story.inside == [None])
        assert story.notes == ["intercom_call plate_unread"]
        assert story.faults("entry") == set()
        assert story.leaks("entry", "not_asked") is None


async def misread_as_another(story: Story) -> None:
    """Two are inside; the second is misread as the first, and asked for what that one owes."""
    await story.visits(CAR, seconds=7200)
    await story.visits(OTHER_CAR, seconds=600)
    story.drives_up("exit", CAR)
    await until_asked(story, 1)


async def until_asked(story: Story, times: int) -> None:
    await story.until(lambda: len(story.asked) == times)
    await story.reaches("exit", "awaiting_payment")


async def test_asked_for_the_money_of_another_it_is_matched_by_hand(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        await misread_as_another(story)
        first, second = story.stay_of(CAR), story.stay_of(OTHER_CAR)
        assert await story.operator("match", lane="exit", plate=str(OTHER_CAR)) is None
        await until_asked(story, 2)
        assert story.asked[0] != story.asked[1]
        story.pays(second.ticket, story.asked[1])
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: story.inside == [CAR])
        assert first.price is None


async def test_a_match_that_is_refused_changes_nothing(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        await misread_as_another(story)
        assert await story.operator("match", lane="exit", ticket="T9") == "booking_unknown"
        await asyncio.sleep(10)
        story.pays(story.stay_of(CAR).ticket, story.asked[0])
        await story.opens("exit")


@pytest.mark.parametrize("by", ["plate", "stay", "ticket"])
async def test_opened_by_hand_and_said_for_whom_that_one_is_booked(until: Until, by: str) -> None:
    async with told(until, policy=WAITS) as story:
        await misread_as_another(story)
        meant = story.stay_of(OTHER_CAR)
        named = {"plate": str(OTHER_CAR), "stay": str(meant.id), "ticket": meant.ticket}
        assert await story.operator("open", lane="exit", **{by: named[by]}) is None
        await story.reaches("exit", "let_through")
        story.drives_through("exit")
        await until(lambda: story.inside == [CAR])


async def test_one_that_nobody_knows_is_not_opened_for(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        await misread_as_another(story)
        for name in ({"ticket": "T9"}, {"stay": str(UUID(int=9))}):
            assert await story.operator("open", lane="exit", **name) == "booking_unknown"
        both = {"plate": str(CAR), "stay": str(story.stay_of(CAR).id)}
        assert await story.operator("open", lane="exit", **both) == "stay_ambiguous"
        assert story.opened("exit") == 0


async def test_said_at_an_entry_whoever_no_camera_read_comes_in_by_its_plate(
    until: Until,
) -> None:
    async with told(until) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        assert await story.operator("open", lane="entry", plate=str(CAR)) is None
        await story.reaches("entry", "let_through")
        story.drives_through("entry")
        await until(lambda: story.inside == [CAR])


async def test_named_by_a_plate_that_nobody_came_in_with_it_is_a_case(until: Until) -> None:
    async with told(until, policy=WAITS) as story:
        await story.visits(CAR)
        story.drives_up("exit", CAR)
        await until_asked(story, 1)
        assert await story.operator("open", lane="exit", plate=str(OTHER_CAR)) is None
        await story.reaches("exit", "let_through")
        story.drives_through("exit")
        await until(lambda: story.cases == ["exit_unmatched"])
        assert story.inside == [CAR]
