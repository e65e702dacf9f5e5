"""Devices that have to speak at intervals: silent ones are gone, and back when they speak."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from gated.actors.messages import FacilityMessage
from gated.core.effects import Fault
from gated.core.site import FacilitySetup
from tests.actors.conftest import Until
from tests.actors.support import ENTRY_BARRIER, Place, site
from tests.actors.test_facility import Running

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

SECONDS = 10.0
SILENT = 2.5 * SECONDS


def with_heartbeat() -> FacilitySetup:
    """The entry's box has to speak every ten seconds; the exit's may be silent for ever."""
    setup = site()
    devices = (
        replace(device, heartbeat_seconds=SECONDS if device.id == ENTRY_BARRIER else None)
        for device in setup.devices
    )
    return replace(setup, devices=tuple(devices))


def linked() -> Place:
    place = Place(setup=with_heartbeat())
    place.liveness.link_up()
    return place


def online(place: Place, device: str = "box-entry") -> float | None:
    """What the gauge says."""
    labels = {"facility": "north", "device": device}
    return place.metrics.registry.get_sample_value("gated_device_online", labels)


def faults(place: Place) -> list[str]:
    return [f"{note.name} {note.detail}" for note in place.rows.notes.values()]


RAISED, CLEARED = f"fault_raised {Fault.DEVICE_OFFLINE}", f"fault_cleared {Fault.DEVICE_OFFLINE}"


async def test_silence_of_two_and_a_half_intervals_is_absence(until: Until) -> None:
    place = linked()
    async with Running(place):
        place.say("entry", "nothing")
        await asyncio.sleep(SILENT - 1)
        assert faults(place) == []
        await until(lambda: faults(place) == [RAISED])
        assert online(place) == 0
        assert place.link.published == []
        # Once, however long it lasts.
        await asyncio.sleep(10 * SILENT)
        assert faults(place) == [RAISED]


@pytest.mark.parametrize("words", ["nothing", "presence off id=9", "boom", "online"])
async def test_whatever_it_says_it_is_back(until: Until, words: str) -> None:
    place = linked()
    async with Running(place):
        await until(lambda: faults(place) == [RAISED])
        place.say("entry", words)
        await until(lambda: faults(place) == [RAISED, CLEARED])
        assert online(place) == 1
        # And has to go on speaking.
        await until(lambda: faults(place) == [RAISED, CLEARED, RAISED])


async def test_who_speaks_in_time_is_there() -> None:
    place = linked()
    async with Running(place):
        for _ in range(20):
            place.say("entry", "nothing")
            await asyncio.sleep(SILENT - 1)
        assert faults(place) == []


async def test_what_is_retained_proves_nothing(until: Until) -> None:
    place = linked()
    async with Running(place):
        await until(lambda: faults(place) == [RAISED])
        place.say("entry", "online", retain=True)
        await asyncio.sleep(1)
        assert faults(place) == [RAISED]
        assert online(place) == 0
        (row,) = place.rows.events.values()
        assert row.row.error == "retained: it has to say so itself"
    # Of one that need not speak there is nothing better.
    async with Running(linked()) as running:
        place = running.place
        place.say("exit", "online", retain=True)
        await until(lambda: online(place, "box-exit") == 1)


async def test_the_brokers_word_is_no_word_of_the_device(until: Until) -> None:
    place = linked()
    async with Running(place):
        await asyncio.sleep(SILENT - 1)
        place.say("entry", "gone")
        await until(lambda: faults(place) == [RAISED])
        assert online(place) == 0
        # It is back as soon as it says anything.
        place.say("entry", "nothing")
        await until(lambda: faults(place) == [RAISED, CLEARED])
        assert online(place) == 1


async def test_one_that_states_no_interval_may_be_silent_for_ever() -> None:
    place = linked()
    async with Running(place):
        for _ in range(50):
            place.say("entry", "nothing")
            await asyncio.sleep(SECONDS)
        assert online(place, "box-exit") is None
        assert faults(place) == []


async def test_while_nobody_listens_nobody_is_silent(until: Until) -> None:
    place = linked()
    async with Running(place):
        place.say("entry", "nothing")
        await asyncio.sleep(5)
        place.liveness.link_down()
        await asyncio.sleep(100 * SILENT)
        assert faults(place) == []
        place.liveness.link_up()
        await asyncio.sleep(SILENT - 1)
        assert faults(place) == []
        await until(lambda: faults(place) == [RAISED])


async def test_what_waits_to_be_read_may_be_its_word(until: Until) -> None:
    place = linked()
    async with Running(place):
        place.say("entry", "nothing")
        await asyncio.sleep(1)
        gate = asyncio.Event()

        async def away(name: str) -> None:
            if name == "append_events":
                await gate.wait()

        place.store.before = away
        for _ in range(10):
            place.say("entry", "nothing")
            await asyncio.sleep(SECONDS)
        assert online(place) is None
        gate.set()
        await until(lambda: place.inbox.depth == 0)
        await asyncio.sleep(SECONDS)
        assert faults(place) == []


async def test_a_lane_that_starts_again_knows_who_is_gone(until: Until) -> None:
    place = linked()
    async with Running(place) as running:
        place.say("exit", "gone")
        await until(lambda: faults(place) == [RAISED])
        place.facility.tell_self(cast("FacilityMessage", "what no actor understands"))
        await until(lambda: faults(place) == [RAISED, RAISED])
        assert running.restarts["facility/north"] == 1
        place.say("exit", "online")
        await until(lambda: faults(place) == [RAISED, RAISED, CLEARED])
