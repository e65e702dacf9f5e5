"""What the inbox makes of devices whose clock is off: the ages it hands over, and its alarm."""

import asyncio

import pytest

from gated.core.events import Reported
from tests.actors.conftest import Events, Until
from tests.actors.support import Place, running

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

PACE_SECONDS = 10.5
HOUR = 3600


async def ages_of(place: Place, until: Until, *differences: float | None) -> list[float | None]:
    """Reads told at a steady pace, each so much later than its time; how old they count."""
    start = len(place.delivered)
    async with running(place.inbox.run):
        for number, difference in enumerate(differences, start=start + 1):
            stated = f"at={place.clock.monotonic() - difference}" if difference is not None else ""
            place.say("entry", f"plate HHAB1234 {stated} id={number}")
            await until(lambda number=number: len(place.delivered) == number)  # type: ignore[misc]
            await asyncio.sleep(PACE_SECONDS)
    events = [message.event for message in place.delivered[start:]]
    return [event.cause.age_seconds for event in events if isinstance(event, Reported)]


def told(log_events: Events) -> list[tuple[str, str, float]]:
    return [(e["event"], e["log_level"], e["skew_seconds"]) for e in log_events]


def gauge(place: Place) -> float | None:
    return place.metrics.registry.get_sample_value(
        "gated_device_skew_seconds", {"facility": "north", "device": "box-entry"}
    )


async def test_a_backlog_worked_off_at_the_pace_of_traffic_stays_old(
    until: Until, log_events: Events
) -> None:
    place = Place()
    ages = await ages_of(place, until, *[600.0] * 8)
    assert all(age is not None and age >= 598 for age in ages)
    assert told(log_events) == [("device.clock_skewed", "warning", 600.0)]
    assert gauge(place) == pytest.approx(600)


async def test_one_time_from_the_future_does_not_shut_the_lane(
    until: Until, log_events: Events
) -> None:
    place = Place()
    ages = await ages_of(place, until, 0.5, 0.5, 0.5, 0.5, -23.0 * HOUR, 0.5, 0.5)
    assert ages[4] is None
    assert all(age is not None and age < 1 for age in ages[:4] + ages[5:])
    assert told(log_events) == [
        ("device.clock_skewed", "warning", -23.0 * HOUR),
        ("device.clock_right", "info", 0.5),
    ]
    assert gauge(place) == pytest.approx(0.5)


async def test_a_time_from_the_future_is_old_once_it_has_waited_too_long(until: Until) -> None:
    place = Place()

    async def slow(name: str) -> None:
        await asyncio.sleep(30)

    place.store.before = slow
    (age,) = await ages_of(place, until, -HOUR)
    assert age == pytest.approx(30)


async def test_devices_without_a_clock_are_not_estimated(until: Until) -> None:
    place = Place()
    assert await ages_of(place, until, None, None, None, None) == [None] * 4
    assert gauge(place) is None
