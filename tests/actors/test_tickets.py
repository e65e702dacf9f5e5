"""A vehicle that nobody can read comes in on a ticket: from the button to the barrier, on fakes."""

import asyncio

import pytest

from gated.core.effects import PassageKnown
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import ButtonTicket, LanePolicy
from gated.records import Publication
from tests.actors.conftest import Until
from tests.actors.support import Place
from tests.actors.test_facility import Running, phase, stays, unsettled

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

POLICY = LanePolicy(button_ticket=ButtonTicket.ADMIT, consensus_reads_min=2)


def comes_unread(place: Place) -> None:
    now = place.clock.monotonic()
    place.say("entry", f"presence on at={now} id=p{now}")
    place.say("entry", f"unread at={now} id=u{now}")


def presses(place: Place) -> None:
    now = place.clock.monotonic()
    place.say("entry", f"button on at={now} id=b{now}")


def sent(place: Place, word: str) -> list[Publication]:
    return [one for one in place.link.published if one.payload.startswith(word.encode())]


async def test_it_is_told_presses_and_comes_in(until: Until) -> None:
    place = Place(policy=POLICY)
    async with Running(place):
        comes_unread(place)
        await until(lambda: phase(place) == "denied")
        await until(lambda: len(sent(place, "deny")) == 1)
        presses(place)
        presses(place)
        await until(lambda: place.opened("entry") == 1)
        await asyncio.sleep(1)
        presses(place)
        await asyncio.sleep(1)
        (opened,) = sent(place, "open")
        (stay,) = stays(place)
        assert stay.ticket
        assert opened.payload.decode().split()[2] == stay.ticket
        place.passes("entry")
        await until(lambda: stay.entry_known is PassageKnown.MEASURED)
        await until(lambda: phase(place) == "idle")
        await asyncio.sleep(1)
    assert stay.plate is None
    reasons = [row.reason for row in place.rows.decisions.values()]
    assert reasons == [DenyReason.PLATE_UNREAD, GrantReason.TICKET]
    assert unsettled(place) == []


async def test_a_full_car_park_has_no_tickets_left(until: Until) -> None:
    place = Place(policy=POLICY, spots=())
    async with Running(place):
        comes_unread(place)
        await until(lambda: phase(place) == "denied")
        presses(place)
        await until(lambda: len(sent(place, "deny")) == 2)
        await asyncio.sleep(1)
    assert stays(place) == []
    reasons = [row.reason for row in place.rows.decisions.values()]
    assert reasons == [DenyReason.PLATE_UNREAD, DenyReason.FULL_FACILITY]
    assert place.opened("entry") == 0


async def test_overlays_are_counted_and_change_nothing(until: Until) -> None:
    place = Place(policy=LanePolicy(reads_ignored=("CAM*",)))
    async with Running(place):
        place.vehicle("entry")
        await until(lambda: place.opened("entry") == 1)
        for number in range(3):
            place.say("entry", f"plate CAM03 at={place.clock.monotonic()} id=o{number}")
        await until(lambda: ignored(place) == 3)
        assert phase(place) == "opening"
        await asyncio.sleep(1)
    assert unsettled(place) == []


def ignored(place: Place) -> float:
    labels = {"facility": "north", "lane": "entry", "outcome": "ignored"}
    return place.metrics.registry.get_sample_value("gated_lane_messages_total", labels) or 0.0
