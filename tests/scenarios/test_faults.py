"""Hardware that does not do what it should: each fault is a state, a metric, a log event and a note
that `gated why` tells, and none of them moves a barrier.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest
from structlog.typing import EventDict

from gated.core.plates import Plate
from gated.core.site import LanePolicy, UnpaidExit
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import Story, told, told_on

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

Logs = Sequence[EventDict]
TRIES = 2
OFFER = "Out of service\nPlease use entry-2"


async def raised(story: Story, lane: str, fault: str, logs: Logs) -> None:
    """The fault is there, wherever one may look for it."""
    await story.until(lambda: f"fault_raised {fault}" in story.notes)
    assert fault in story.faults(lane)
    assert story.gauge(lane, fault) == 1
    assert {"lane": lane, "fault": fault} in said(logs, "lane.fault_raised")


async def cleared(story: Story, lane: str, fault: str, logs: Logs) -> None:
    """And is not there any more."""
    await story.until(lambda: f"fault_cleared {fault}" in story.notes)
    assert fault not in story.faults(lane)
    assert story.gauge(lane, fault) == 0
    assert {"lane": lane, "fault": fault} in said(logs, "lane.fault_cleared")


def said(logs: Logs, event: str) -> list[Mapping[str, str]]:
    return [
        {"lane": one["lane"], "fault": str(one["fault"])} for one in logs if one["event"] == event
    ]


# ── while somebody is served ────────────────────────────────────────────────────────────────


async def test_who_has_paid_before_an_arm_that_broke_meanwhile_is_told_so(until: Until) -> None:
    policy = LanePolicy(unpaid_exit=UnpaidExit.WAIT)
    async with told(until, arm_tells=True, policy=policy) as story:
        stay = await story.visits()
        story.drives_up("exit")
        await story.reaches("exit", "awaiting_payment")
        story.arm("exit", "fault")
        await until(lambda: "arm_stuck" in story.faults("exit"))
        story.pays(stay.ticket, str(story.asked[0]))
        await story.reaches("exit", "out_of_service")
        await until(lambda: story.refusals() == ["out_of_service"])
        await asyncio.sleep(30)
        assert story.commands("exit") == ["deny", "deny"]
        # It has paid: once the arm moves it is let out.
        story.arm("exit", "closed")
        story.is_read("exit")
        await story.opens("exit")


# ── the arm ─────────────────────────────────────────────────────────────────────────────────


async def breaks_down(story: Story, lane: str = "entry") -> None:
    """A vehicle is let in, and the arm does not move."""
    story.arm(lane, "closed")
    story.drives_up(lane)
    await story.reaches(lane, "out_of_service")


class TestArmNotOpened:
    async def test_it_is_asked_again_then_the_lane_is_out_of_service(
        self, until: Until, log_events: Logs
    ) -> None:
        async with told(until, arm_tells=True) as story:
            await breaks_down(story)
            await raised(story, "entry", "arm_stuck", log_events)
            await until(lambda: story.commands("entry") == ["open"] * TRIES + ["deny"])
            assert "arm_not_opened" in story.notes
            # Nobody came in: the spot is free again.
            await until(lambda: story.inside == [])
            # There is no lane beside it that the driver could be sent to.
            assert story.displays("entry") == ["Out of service"]

    async def test_the_next_vehicle_is_told_of_the_lane_beside_until_the_arm_moves(
        self, until: Until, log_events: Logs
    ) -> None:
        async with told(until, arm_tells=True, second_entry=True) as story:
            await breaks_down(story)
            story.backs_off("entry")
            story.drives_up("entry", OTHER_CAR)
            await until(lambda: story.refusals() == ["out_of_service"])
            await until(lambda: story.displays("entry") == [OFFER] * 2)
            assert story.opened("entry") == TRIES
            # There it is served.
            story.backs_off("entry")
            story.drives_up("entry-2", OTHER_CAR)
            await story.opens("entry-2")
            # Somebody has repaired the first one: its arm moves.
            story.arm("entry", "opened")
            story.arm("entry", "closed")
            await story.reaches("entry", "idle")
            await cleared(story, "entry", "arm_stuck", log_events)
            story.drives_up("entry", CAR)
            await story.opens("entry", TRIES + 1)

    async def test_a_lane_that_does_not_serve_either_is_not_offered(self, until: Until) -> None:
        async with told(until, arm_tells=True, second_entry=True) as story:
            assert await story.operator("lane_close", lane="entry-2") is None
            await breaks_down(story)
            await until(lambda: story.displays("entry") == ["Out of service"])

    async def test_nor_one_whose_box_is_gone(self, until: Until) -> None:
        async with told(until, arm_tells=True, second_entry=True) as story:
            story.falls_silent("entry-2")
            await until(lambda: story.faults("entry-2") == {"device_offline"})
            await breaks_down(story)
            await until(lambda: story.displays("entry") == ["Out of service"])

    async def test_where_a_second_pulse_could_close_it_is_asked_once(self, until: Until) -> None:
        async with told(until, arm_tells=True, opens_twice=False) as story:
            await breaks_down(story)
            await until(lambda: story.commands("entry") == ["open", "deny"])

    async def test_an_exit_that_breaks_down_keeps_the_stay(
        self, until: Until, log_events: Logs
    ) -> None:
        async with told(until, arm_tells=True) as story:
            await story.visits()
            await breaks_down(story, "exit")
            await raised(story, "exit", "arm_stuck", log_events)
            assert "exit_not_passed arm_not_opened" in story.notes

    async def test_a_lane_that_is_closed_offers_the_one_beside_too(self, until: Until) -> None:
        async with told(until, second_entry=True) as story:
            assert await story.operator("lane_close", lane="entry") is None
            story.drives_up("entry")
            await until(lambda: story.displays("entry") == [OFFER])
            assert story.refusals() == ["closed"]


async def test_an_arm_that_goes_up_unasked(until: Until, log_events: Logs) -> None:
    async with told(until, arm_tells=True) as story:
        story.arm("entry", "opened")
        await raised(story, "entry", "arm_forced", log_events)
        assert "opened_without_grant" in story.notes
        story.arm("entry", "closed")
        await cleared(story, "entry", "arm_forced", log_events)
        assert story.commands("entry") == []


async def test_an_arm_that_goes_up_when_its_vehicle_was_given_up(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        await breaks_down(story)
        await until(lambda: story.inside == [])
        story.arm("entry", "opened")
        await until(lambda: "opened_without_grant late" in story.notes)
        assert story.leaks("entry", "late") == 1
        # It asks for nothing more, and is no force.
        assert story.commands("entry") == ["open"] * TRIES + ["deny"]
        assert story.faults("entry") == set()


async def test_an_arm_that_comes_down_before_a_driver_who_hesitates(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.arm("entry", "opened")
        await asyncio.sleep(25)
        story.arm("entry", "closed")
        # No camera says anything more of it; it has stood there all the while.
        await story.opens("entry", 2)
        story.arm("entry", "opened")
        await asyncio.sleep(25)
        story.drives_through("entry")
        story.arm("entry", "closed")
        await until(lambda: story.stay_of(CAR).entry_known == "measured")
        assert story.inside == [CAR]
        assert story.calls("entry") == [None]
        assert story.displays("entry") == []


async def test_and_comes_down_once_more_a_person_is_called(until: Until) -> None:
    async with told(until, arm_tells=True) as story:
        story.drives_up("entry")
        for opened in (1, 2):
            await story.opens("entry", opened)
            story.arm("entry", "opened")
            await asyncio.sleep(25)
            story.arm("entry", "closed")
        await until(lambda: story.call("entry") == "vehicle_not_moving")
        assert story.opened("entry") == 2
        assert await story.operator("open", lane="entry") is None
        story.arm("entry", "opened")
        story.drives_through("entry")
        await until(lambda: story.stay_of(CAR).entry_known == "measured")


async def test_an_arm_that_stays_up(until: Until, log_events: Logs) -> None:
    async with told(until, arm_tells=True) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.arm("entry", "opened")
        story.drives_through("entry")
        await raised(story, "entry", "arm_not_closed", log_events)
        story.arm("entry", "closed")
        await cleared(story, "entry", "arm_not_closed", log_events)
        assert story.commands("entry") == ["open"]


# ── loops and cameras ───────────────────────────────────────────────────────────────────────


async def test_a_presence_loop_that_is_stuck(until: Until, log_events: Logs) -> None:
    async with told(until) as story:
        story.stands("entry")
        await raised(story, "entry", "presence_loop_stuck", log_events)
        assert story.commands("entry") == ["deny"]
        # It is no reason to refuse anybody.
        story.is_read("entry")
        await story.opens("entry")
        story.drives_through("entry")
        await cleared(story, "entry", "presence_loop_stuck", log_events)


async def test_a_closing_loop_that_is_stuck(until: Until, log_events: Logs) -> None:
    async with told(until) as story:
        story.drives_up("entry")
        await story.opens("entry")
        story.says("entry", "closing on")
        story.backs_off("entry")
        await raised(story, "entry", "closing_loop_stuck", log_events)
        # Its passage is assumed, and so is the next one's.
        assert story.stay_of(CAR).entry_known == "assumed"
        story.drives_up("entry", OTHER_CAR)
        await story.opens("entry", 2)
        story.backs_off("entry")
        await until(lambda: story.stay_of(OTHER_CAR).entry_known == "assumed")
        story.says("entry", "closing off")
        await cleared(story, "entry", "closing_loop_stuck", log_events)


async def test_a_closing_loop_that_is_dead(until: Until, log_events: Logs) -> None:
    async with told(until) as story:
        for opened, vehicle in enumerate(VEHICLES, 1):
            assert story.faults("entry") == set()
            story.drives_up("entry", vehicle)
            await story.opens("entry", opened)
            story.backs_off("entry")
            await story.reaches("entry", "idle")
        # Two have turned back, as far as anybody can tell; that a third does is not believed.
        await raised(story, "entry", "closing_loop_silent", log_events)
        assert story.stay_of(VEHICLES[-1]).entry_known == "assumed"
        assert story.inside == [VEHICLES[-1]]
        story.drives_up("entry", OTHER_CAR)
        await story.opens("entry", 4)
        story.drives_through("entry")
        await cleared(story, "entry", "closing_loop_silent", log_events)
        await until(lambda: story.stay_of(OTHER_CAR).entry_known == "measured")


async def test_a_driver_who_turns_back_again_and_again(until: Until) -> None:
    async with told(until) as story:
        for opened in range(1, 6):
            story.drives_up("entry")
            await story.opens("entry", opened)
            story.backs_off("entry")
            await story.reaches("entry", "idle")
        assert story.faults("entry") == set()
        assert story.inside == []


async def test_a_camera_that_says_nothing(until: Until, log_events: Logs) -> None:
    async with told(until) as story:
        for vehicle in range(1, 4):
            assert story.faults("entry") == set()
            story.stands("entry")
            await until(lambda count=vehicle: story.notes.count(UNREAD) == count)  # type: ignore[misc]
            story.backs_off("entry")
        await raised(story, "entry", "camera_silent", log_events)
        assert story.commands("entry") == ["deny"] * 3
        story.drives_up("entry")
        await cleared(story, "entry", "camera_silent", log_events)
        await story.opens("entry")


VEHICLES = [Plate(f"TURN{number}") for number in range(1, 4)]
UNREAD = "intercom_call plate_unread"


# ── devices ─────────────────────────────────────────────────────────────────────────────────


async def test_a_device_that_the_broker_says_is_gone(until: Until, log_events: Logs) -> None:
    async with told(until) as story:
        story.falls_silent("entry")
        await raised(story, "entry", "device_offline", log_events)
        story.speaks_again("entry")
        await cleared(story, "entry", "device_offline", log_events)
        assert story.commands("entry") == []


async def test_a_device_that_falls_silent(until: Until, log_events: Logs) -> None:
    async with told(until, heartbeat_seconds=30) as story:
        story.says("entry", "nothing")
        await asyncio.sleep(2.5 * 30 - 1)
        assert story.faults("entry") == set()
        await raised(story, "entry", "device_offline", log_events)
        story.says("entry", "presence off")
        await cleared(story, "entry", "device_offline", log_events)
        assert story.commands("entry") == []


# ── starts and reconnects ───────────────────────────────────────────────────────────────────


async def arm_stuck(story: Story) -> None:
    await breaks_down(story)
    await story.until(lambda: len(story.commands("entry")) == TRIES + 1)


async def arm_forced(story: Story) -> None:
    story.arm("entry", "opened")
    await story.until(lambda: story.faults("entry") == {"arm_forced"})


async def presence_loop_stuck(story: Story) -> None:
    story.stands("entry")
    await story.until(lambda: story.faults("entry") == {"presence_loop_stuck"})


async def closing_loop_stuck(story: Story) -> None:
    story.drives_up("entry")
    await story.opens("entry")
    story.arm("entry", "opened")
    story.says("entry", "closing on")
    story.backs_off("entry")
    await story.until(lambda: "closing_loop_stuck" in story.faults("entry"))


async def closing_loop_silent(story: Story) -> None:
    for opened, vehicle in enumerate(VEHICLES, 1):
        story.drives_up("entry", vehicle)
        await story.opens("entry", opened)
        story.arm("entry", "opened")
        story.backs_off("entry")
        await story.reaches("entry", "idle", "closing")
        story.arm("entry", "closed")
        await story.reaches("entry", "idle")
    await story.until(lambda: story.faults("entry") == {"closing_loop_silent"})


async def camera_silent(story: Story) -> None:
    for vehicle in range(1, 4):
        story.stands("entry")
        await story.until(lambda count=vehicle: story.notes.count(UNREAD) == count)  # type: ignore[misc]
        story.backs_off("entry")
    await story.until(lambda: story.faults("entry") == {"camera_silent"})


async def arm_not_closed(story: Story) -> None:
    story.drives_up("entry")
    await story.opens("entry")
    story.arm("entry", "opened")
    story.drives_through("entry")
    await story.until(lambda: story.faults("entry") == {"arm_not_closed"})


async def device_offline(story: Story) -> None:
    story.falls_silent("entry")
    await story.until(lambda: story.faults("entry") == {"device_offline"})


LASTING = [
    *(arm_stuck, arm_forced, arm_not_closed),
    *(presence_loop_stuck, closing_loop_stuck, closing_loop_silent, camera_silent),
]
FAULTY = [*LASTING, device_offline]


@pytest.mark.parametrize("comes_about", FAULTY)
async def test_no_command_follows_from_a_start_or_a_new_link(
    until: Until, comes_about: Callable[[Story], Awaitable[None]]
) -> None:
    async with told(until, arm_tells=True, policy=LanePolicy(loop_seconds_max=60)) as story:
        await comes_about(story)
        before = story.commands("entry")
        await new_link(story)
        assert story.commands("entry") == before
    async with told_on(story, until) as later:
        await new_link(later)
        # A vehicle that stands there unread is told so: that moves nothing.
        after = later.commands("entry")[len(before) :]
        assert set(after) <= {"deny"}
        assert later.place.opened("entry") == 0


@pytest.mark.parametrize("comes_about", LASTING)
async def test_after_a_restart_the_same_is_told_as_before(
    until: Until, log_events: Logs, comes_about: Callable[[Story], Awaitable[None]]
) -> None:
    async with told(until, arm_tells=True, policy=LanePolicy(loop_seconds_max=60)) as story:
        await comes_about(story)
        await asyncio.sleep(30)
        faults, out = story.faults("entry"), story.phase("entry") == "out_of_service"
        assert faults
        noted = [note for note in story.notes if note.startswith("fault_")]
    async with told_on(story, until) as later:
        await asyncio.sleep(30)
        assert later.faults("entry") == faults
        assert [later.gauge("entry", fault) for fault in faults] == [1] * len(faults)
        assert (later.phase("entry") == "out_of_service") is out
        stand = [one for one in said(log_events, "lane.fault_stands") if one["lane"] == "entry"]
        assert {one["fault"] for one in stand} == faults
        assert [note for note in later.notes if note.startswith("fault_")] == noted


async def test_a_restart_puts_no_arm_into_service_that_does_not_obey(
    until: Until, log_events: Logs
) -> None:
    async with told(until, arm_tells=True) as story:
        await arm_stuck(story)
    async with told_on(story, until) as later:
        # Its box tells every few seconds where the arm is: as before.
        for _ in range(3):
            later.arm("entry", "closed")
            await asyncio.sleep(5)
        later.backs_off("entry")
        later.drives_up("entry", OTHER_CAR)
        await until(lambda: later.refusals() == ["out_of_service"])
        assert later.opened("entry") == 0
        assert later.phase("entry") == "out_of_service"
        later.arm("entry", "opened")
        later.arm("entry", "closed")
        # And then the one who stands there is let in.
        await cleared(later, "entry", "arm_stuck", log_events)
        await later.opens("entry")
    async with told_on(later, until) as again:
        await again.reaches("entry", "opening")
        assert again.faults("entry") == set()


async def test_after_a_restart_too_an_operator_may_say_that_it_obeys(
    until: Until, log_events: Logs
) -> None:
    async with told(until, arm_tells=True) as story:
        await arm_stuck(story)
    async with told_on(story, until) as later:
        assert await later.operator("lane_open", lane="entry") is None
        await cleared(later, "entry", "arm_stuck", log_events)
        later.backs_off("entry")
        later.drives_up("entry", OTHER_CAR)
        await later.opens("entry")


async def test_who_stands_at_an_exit_out_of_service_calls_after_a_restart_too(
    until: Until,
) -> None:
    async with told(until, arm_tells=True) as story:
        await story.visits()
        await breaks_down(story, "exit")
        await until(lambda: story.call("exit") == "out_of_service")
        await asyncio.sleep(5)
    async with told_on(story, until) as later:
        await until(lambda: later.call("exit") == "out_of_service")


async def test_a_loop_that_came_off_while_nobody_listened_is_not_stuck_any_more(
    until: Until, log_events: Logs
) -> None:
    async with told(until) as story:
        story.stands("entry")
        await raised(story, "entry", "presence_loop_stuck", log_events)
    async with told_on(story, until) as later:
        await asyncio.sleep(30)
        later.says_late("entry", "presence off", 20)
        await cleared(later, "entry", "presence_loop_stuck", log_events)


async def test_which_device_is_gone_is_found_out_anew(until: Until, log_events: Logs) -> None:
    async with told(until) as story:
        await device_offline(story)
        await until(lambda: "fault_raised device_offline" in story.notes)
    async with told_on(story, until) as later:
        assert later.faults("entry") == set()
        # The broker says so at once, in the name of a device that was gone before.
        later.place.say("entry", "gone", retain=True)
        await until(lambda: later.faults("entry") == {"device_offline"})
        later.speaks_again("entry")
        await cleared(later, "entry", "device_offline", log_events)


async def new_link(story: Story) -> None:
    """The link goes and comes back, and with it what the broker has kept."""
    story.place.liveness.link_down()
    await asyncio.sleep(1)
    story.place.liveness.link_up()
    story.place.say("entry", "online", retain=True)
    story.place.say("entry", "gone", retain=True)
    await asyncio.sleep(30)
