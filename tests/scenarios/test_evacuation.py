"""Evacuation and fire: exits stay open, entries are shut, nothing is charged while it lasts."""

import asyncio

import pytest

from gated.core.effects import Do
from gated.core.events import CommandStatus, OperatorDo
from gated.core.site import LanePolicy, UnpaidExit
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

# A relay that gives a pulse: nothing holds the arm up.
RELAY = frozenset({Do.OPEN})


class _Slow:
    """A store one of whose calls is held up until it is `over`."""

    def __init__(self, call: str) -> None:
        self._call = call
        self.began, self.over = asyncio.Event(), asyncio.Event()

    async def __call__(self, name: str) -> None:
        if name == self._call:
            self.began.set()
            await self.over.wait()


async def test_the_fire_contact_opens_exits_and_shuts_entries(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.fire(on=True)
        await story.reaches("exit", "held")
        await story.reaches("entry", "closed")
        assert story.commands("exit") == ["hold"]
        story.drives_up("exit")
        await asyncio.sleep(1)
        story.drives_through("exit")
        await until(lambda: stay.status == "COMPLETED")
        assert stay.price is not None
        assert stay.price.amount == 0
        story.drives_up("entry", OTHER_CAR)
        await until(lambda: story.refusals() == ["evacuation"])


async def test_whoever_is_decided_on_at_an_entry_is_refused(until: Until) -> None:
    async with told(until) as story:
        held_up = _Slow("plate_snapshot")
        story.place.store.before = held_up
        story.drives_up("entry")
        await held_up.began.wait()
        story.fire(on=True)
        await story.reaches("exit", "held")
        held_up.over.set()
        await story.reaches("entry", "closed")
        await until(lambda: story.refusals() == ["evacuation"])
        await until(lambda: story.commands("entry") == ["deny"])
        assert story.displays("entry") == ["Evacuation\nDo not enter"]
        assert story.stays == []


async def test_an_admission_under_way_is_taken_back_and_its_opening_is_not_sent(
    until: Until,
) -> None:
    async with told(until, spots=("1",)) as story:
        held_up = _Slow("admit")
        story.place.store.before = held_up
        story.drives_up("entry")
        await held_up.began.wait()
        story.fire(on=True)
        await story.reaches("exit", "held")
        held_up.over.set()
        await story.reaches("entry", "closed")
        await until(lambda: story.commands("entry") == ["open", "deny"])
        assert story.displays("entry") == ["Evacuation\nDo not enter"]
        await until(lambda: story.stay_of(CAR).status == "CANCELLED")
        await asyncio.sleep(30)
        rows = story.place.rows.commands.values()
        assert [row.status for row in rows if row.command.do is Do.OPEN] == [CommandStatus.EXPIRED]
        assert story.opened("entry") == 0
        # The spot is free again for whoever comes when it is over.
        story.backs_off("entry")
        assert await story.operator("resume") is None
        await story.reaches("entry", "idle")
        await story.passes("entry", OTHER_CAR)


async def test_its_end_is_for_people_to_say(until: Until) -> None:
    async with told(until) as story:
        story.fire(on=True)
        await story.reaches("exit", "held")
        story.fire(on=False)
        await asyncio.sleep(600)
        assert story.phase("exit") == "held"
        assert await story.operator("resume") is None
        await story.reaches("exit", "idle")
        await story.reaches("entry", "idle")
        assert story.commands("exit") == ["hold", "release"]


async def test_an_operator_may_order_it(until: Until) -> None:
    async with told(until) as story:
        assert await story.operator("evacuate") is None
        await story.reaches("exit", "held")
        await story.reaches("entry", "closed")


async def test_who_waits_to_pay_is_let_out(until: Until) -> None:
    async with told(until, policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT)) as story:
        stay = await story.visits(CAR)
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        await until(lambda: story.commands("exit") == ["deny"])
        story.fire(on=True)
        await story.reaches("exit", "held")
        await until(lambda: story.commands("exit") == ["deny", "hold"])
        story.drives_through("exit")
        await until(lambda: stay.status == "COMPLETED")
        assert stay.price is not None
        assert stay.price.amount == 0
        assert (story.place.rows.paid, story.violations) == ({}, [])


async def test_a_bare_relay_opens_for_each_vehicle(until: Until) -> None:
    async with told(until, does=RELAY) as story:
        first, second = await story.visits(), await story.visits(OTHER_CAR)
        story.fire(on=True)
        await story.reaches("exit", "held")
        await until(lambda: "hold_not_supported" in story.notes)
        assert story.commands("exit") == []
        for times, stay in enumerate((first, second), 1):
            assert stay.plate is not None
            story.drives_up("exit", stay.plate)
            await story.opens("exit", times)
            story.drives_through("exit")
            await until(lambda stay=stay: stay.status == "COMPLETED")  # type: ignore[misc]
        assert story.notes.count("hold_not_supported") == 1
        assert await story.operator("resume") is None
        await story.reaches("exit", "idle")
        assert story.commands("exit") == ["open", "open"]


async def test_a_bare_relay_opens_for_who_waits_to_pay_and_for_the_next_close_behind(
    until: Until,
) -> None:
    policy = LanePolicy(unpaid_exit=UnpaidExit.WAIT)
    async with told(until, does=RELAY, policy=policy) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        story.fire(on=True)
        await story.opens("exit")
        # So close behind that the presence loop never clears.
        for word in ("closing on", "closing off"):
            story.says("exit", word)
        await story.opens("exit", 2)
        await until(lambda: stay.status == "COMPLETED")


async def test_without_a_presence_loop_a_bare_relay_opens_for_each_read(until: Until) -> None:
    async with told(until, does=RELAY, presence_loop=False, closing_loop=False) as story:
        story.fire(on=True)
        await story.reaches("exit", "held")
        story.is_read("exit")
        await story.opens("exit")
        # Nobody has to be known to get out.
        story.is_read("exit", OTHER_CAR, 0.1)
        await story.opens("exit", 2)
        story.says("exit", "unread")
        await story.opens("exit", 3)


async def test_each_lane_that_cannot_be_held_is_told_of(until: Until) -> None:
    async with told(until, does=RELAY, nested=True) as story:
        story.fire(on=True)
        for lane in ("exit", "inward", "outward"):
            await story.reaches(lane, "held")
        await until(lambda: story.notes.count("hold_not_supported") == 3)


async def test_a_bare_relay_cannot_be_held_by_an_operator(until: Until) -> None:
    async with told(until, does=RELAY) as story:
        assert await story.operator(OperatorDo.HOLD, lane="exit") == "not_supported"
        story.stands("exit")
        await story.reaches("exit", "occupied")
        assert story.commands("exit") == []
