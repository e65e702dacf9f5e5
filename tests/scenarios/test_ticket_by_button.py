"""A vehicle that nobody can read comes in on a ticket, where the entry gives one at its button.

From the message to the paper: tests/actors/test_tickets.py. How a ticket's stay is kept:
tests/db/test_ticket_stays.py.
"""

import asyncio

import pytest

from gated.core.site import ButtonTicket, LanePolicy
from tests.actors.conftest import Until
from tests.actors.support import CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

TICKETS = LanePolicy(button_ticket=ButtonTicket.ADMIT)


async def test_it_presses_gets_its_number_and_comes_in(until: Until) -> None:
    async with told(until, policy=TICKETS) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        story.presses("entry")
        await story.opens("entry")
        story.drives_through("entry")
        (stay,) = story.stays
        await until(lambda: stay.entry_known is not None)
        assert story.inside == [None]
        assert stay.ticket
        assert story.tickets("entry") == [stay.ticket]
        assert story.violations == []


async def test_the_display_says_that_there_is_a_button(until: Until) -> None:
    async with told(until, policy=TICKETS) as story:
        story.drives_up_unread("entry")
        await until(lambda: len(story.displays("entry")) == 1)
        assert story.displays("entry") == ["Plate not readable\nPress for a ticket"]


async def test_pressed_often_it_is_one_ticket(until: Until) -> None:
    async with told(until, policy=TICKETS) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        for _ in range(3):
            story.presses("entry")
        await story.opens("entry")
        await asyncio.sleep(1)
        story.presses("entry")
        await asyncio.sleep(1)
        assert len(story.tickets("entry")) == 1
        assert story.inside == [None]


async def test_who_can_be_read_gets_none(until: Until) -> None:
    async with told(until, policy=TICKETS) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.presses("entry")
        await asyncio.sleep(5)
        assert story.tickets("entry") == []
        assert len(story.inside) == 1


async def test_nor_does_a_button_that_nobody_stands_at_open_anything(until: Until) -> None:
    async with told(until, policy=TICKETS) as story:
        story.presses("entry")
        await until(lambda: story.unsettled == [])
        await asyncio.sleep(30)
        assert story.commands("entry") == []


async def test_where_the_lane_gives_no_tickets_it_calls_for_help_alone(until: Until) -> None:
    async with told(until) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        story.presses("entry")
        await asyncio.sleep(5)
        assert story.opened("entry") == 0
        assert story.inside == []


async def test_a_full_car_park_has_no_tickets(until: Until) -> None:
    async with told(until, policy=TICKETS, spots=()) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        story.presses("entry")
        await until(lambda: story.refusals() == ["plate_unread", "full_facility"])
        assert story.opened("entry") == 0


async def test_its_driver_turns_back_and_the_ticket_is_void(until: Until) -> None:
    async with told(until, policy=TICKETS, spots=("1",)) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        story.presses("entry")
        await story.opens("entry")
        story.backs_off("entry")
        await until(lambda: [stay.status for stay in story.stays] == ["CANCELLED"])
        await story.passes("entry")  # the only spot is free again


async def test_at_the_exit_somebody_finds_its_stay_by_the_number(until: Until) -> None:
    async with told(until, policy=TICKETS) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        story.presses("entry")
        await story.opens("entry")
        story.drives_through("entry")
        await until(lambda: story.inside == [None])
        (stay,) = story.stays
        await asyncio.sleep(600)
        story.drives_up("exit", CAR)
        await until(lambda: story.refusals() == ["plate_unread", "no_entry_found"])
        assert await story.operator("match", lane="exit", ticket=stay.ticket) is None
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert stay.plate == CAR  # as the exit's camera read it
        assert story.inside == []


async def test_opened_by_hand_for_its_number_it_leaves_by_what_the_exit_read(until: Until) -> None:
    async with told(until, policy=TICKETS) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        story.presses("entry")
        await story.opens("entry")
        story.drives_through("entry")
        await until(lambda: story.inside == [None])
        (stay,) = story.stays
        await asyncio.sleep(600)
        story.drives_up("exit", CAR)
        await until(lambda: story.refusals() == ["plate_unread", "no_entry_found"])
        assert await story.operator("open", lane="exit", ticket=stay.ticket) is None
        await story.reaches("exit", "let_through")
        story.drives_through("exit")
        await until(lambda: story.inside == [])
        assert (stay.plate, story.cases) == (CAR, [])
        assert await story.operator("open", lane="exit", ticket=stay.ticket) == "booking_ended"


async def test_read_neither_here_nor_there_it_leaves_by_hand_and_stays_a_case(until: Until) -> None:
    """The stay has no plate and gets none, so no decision of the exit can be about it."""
    async with told(until, policy=TICKETS) as story:
        story.drives_up_unread("entry")
        await story.reaches("entry", "denied")
        story.presses("entry")
        await story.opens("entry")
        story.drives_through("entry")
        await until(lambda: story.stays[0].entry_known is not None)
        (stay,) = story.stays
        await asyncio.sleep(600)
        story.drives_up_unread("exit")
        await story.reaches("exit", "denied")
        for do in ("match", "open"):
            answered = await story.operator(do, lane="exit", ticket=stay.ticket)
            assert answered == "plate_unknown"
        assert story.opened("exit") == 0
        assert await story.operator("open", lane="exit") is None
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: story.cases == ["exit_unmatched"])
        assert stay.status == "ACTIVE"
