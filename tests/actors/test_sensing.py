"""Sensors that belong to no lane: stored, kept in order, held against what is counted."""

import asyncio
from datetime import timedelta

import pytest

from gated.actors.zone import RECOUNT_SECONDS
from gated.core.effects import Outcome
from gated.core.errors import StoreError
from gated.core.ids import EventId, Slug
from gated.records import EventStatus, InboxRow, ZoneCounted
from tests.actors.conftest import Events, Until
from tests.actors.support import ZONE, Place
from tests.actors.test_facility import Running, failing, unsettled

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


def outcomes(place: Place) -> list[Outcome | None]:
    return [event.outcome for event in place.rows.events.values()]


def drift(place: Place, against: str = "sensor") -> float | None:
    labels = {"facility": place.setup.slug, "zone": "deck", "against": against}
    return place.metrics.registry.get_sample_value("gated_occupancy_drift", labels)


async def enter(place: Place, until: Until) -> None:
    place.vehicle("entry")
    await until(lambda: place.opened("entry") == 1)
    place.passes("entry")
    await until(lambda: any(stay.entry_known for stay in place.rows.stays.values()))


async def test_what_sensors_say_is_stored_acknowledged_and_kept(until: Until) -> None:
    place = Place()
    async with Running(place):
        place.sense("deck/count", occupied=2)
        place.sense("deck/spot/1", occupied=True, plate="HH AB 1234")
        await until(lambda: len(outcomes(place)) == 2 and not unsettled(place))
    assert outcomes(place) == [Outcome.NOTED, Outcome.NOTED]
    assert place.rows.zone_counts[ZONE].occupied == 2
    assert str(place.rows.spot_states[ZONE, "1"].plate) == "HHAB1234"
    assert len(place.acknowledged) == 2
    assert place.link.published == [], "a sensor opens nothing"


async def test_an_unknown_spot_is_told_and_stops_nobody(until: Until, log_events: Events) -> None:
    place = Place()
    async with Running(place) as running:
        place.sense("deck/spot/77", occupied=True)
        place.sense("cellar/count", occupied=1)
        place.sense("deck/count", occupied=1)
        await until(lambda: ZONE in place.rows.zone_counts and not unsettled(place))
        assert set(running.restarts.values()) == {0}
    told = [(e["zone"], e["spot"]) for e in log_events if e["event"] == "sensor.unknown"]
    assert told == [("deck", "77"), ("cellar", None)]
    assert outcomes(place) == [Outcome.UNEXPECTED, Outcome.UNEXPECTED, Outcome.NOTED]


async def test_nonsense_is_quarantined_and_acknowledged(until: Until) -> None:
    place = Place()
    async with Running(place):
        place.sense("deck/count", occupied=-1)
        place.sense("deck/spot/A%2f1", occupied=True)
        await until(lambda: len(place.acknowledged) == 2)
    statuses = {event.status for event in place.rows.events.values()}
    assert statuses == {EventStatus.QUARANTINED}


async def test_a_retained_word_of_a_sensor_is_believed_and_an_old_one_is_not_newer(
    until: Until,
) -> None:
    place = Place()
    async with Running(place):
        place.sense("deck/count", occupied=1, retain=True)
        await until(lambda: ZONE in place.rows.zone_counts)
        long_ago = place.clock.now() - timedelta(hours=3)
        place.sense("deck/count", occupied=9, retain=True, at=long_ago)
        await until(lambda: len(outcomes(place)) == 2 and not unsettled(place))
    assert outcomes(place) == [Outcome.NOTED, Outcome.SUPERSEDED]
    assert place.rows.zone_counts[ZONE].occupied == 1


async def test_many_words_while_the_database_is_away_are_written_in_order_afterwards(
    until: Until,
) -> None:
    place = Place()
    async with Running(place):
        place.store.before = failing("note_sensor")
        for occupied in range(20):
            place.sense("deck/count", occupied=occupied)
        await until(lambda: len(place.acknowledged) == 20)
        await asyncio.sleep(30)
        assert len(unsettled(place)) == 20
        place.store.before = None
        await until(lambda: not unsettled(place))
    assert place.rows.zone_counts[ZONE].occupied == 19
    assert set(outcomes(place)) == {Outcome.NOTED}


async def test_a_word_that_the_database_will_never_take_is_put_aside(
    until: Until, log_events: Events
) -> None:
    place = Place()

    async def refuse(name: str) -> None:
        if name == "note_sensor":
            raise StoreError("never", retryable=False)

    async with Running(place):
        place.store.before = refuse
        place.sense("deck/count", occupied=1)
        await until(lambda: len(outcomes(place)) == 1 and not unsettled(place))
    assert outcomes(place) == [Outcome.FAILED]
    failed = [e["message"] for e in log_events if e["event"] == "facility.message_failed"]
    assert failed == ["SensorHere"]


async def test_a_word_that_a_crash_left_behind_is_kept_at_the_next_start(until: Until) -> None:
    place = Place()
    now = place.clock.now()
    row = InboxRow(
        id=EventId(place.ids.new()),
        key="count/deck#1",
        device=None,
        lane=None,
        topic="gated/v1/north/zone/deck/count",
        payload=b'{"id": 1, "occupied": 2, "at": "%s"}' % now.isoformat().encode(),
        kind="zone_count",
        status=EventStatus.NEW,
        device_at=now,
        received_at=now,
    )
    await place.store.append_events(place.setup.id, place.fence, [row])
    async with Running(place):
        await until(lambda: unsettled(place) == [])
    assert place.rows.zone_counts[ZONE].occupied == 2


# ── drift ───────────────────────────────────────────────────────────────────────────────────


async def test_the_gauges_follow_and_the_log_tells_each_turn_once(
    until: Until, log_events: Events
) -> None:
    place = Place()
    place.rows.drift_count_max = 2
    async with Running(place):
        await enter(place, until)
        await asyncio.sleep(RECOUNT_SECONDS)
        assert (drift(place, "stays"), drift(place)) == (0, None), "nobody senses anything yet"
        place.sense("deck/count", occupied=3)
        await asyncio.sleep(3 * RECOUNT_SECONDS)
        assert drift(place) == -2
        assert not [e for e in log_events if e["event"] == "occupancy.drifted"], "within the bound"
        place.sense("deck/count", occupied=4)
        await asyncio.sleep(3 * RECOUNT_SECONDS)
        assert drift(place) == -3
        place.sense("deck/count", occupied=1)
        await asyncio.sleep(3 * RECOUNT_SECONDS)
        assert drift(place) == 0
    told = [
        (e["event"], e["against"], e["drift"]) for e in log_events if "occupancy." in e["event"]
    ]
    assert told == [("occupancy.drifted", "sensor", -3), ("occupancy.agreed", "sensor", 0)]


async def test_a_counter_that_falls_silent_is_not_held_against_anything() -> None:
    place = Place()
    nearly_a_day_ago = place.clock.now() - timedelta(days=1) + timedelta(seconds=RECOUNT_SECONDS)
    place.rows.zone_counts[ZONE] = ZoneCounted(
        "k", Slug("deck"), 1, nearly_a_day_ago, nearly_a_day_ago
    )
    async with Running(place):
        await asyncio.sleep(RECOUNT_SECONDS / 2)
        assert drift(place) == -1
        await asyncio.sleep(2 * RECOUNT_SECONDS)
        assert drift(place) is None


async def test_a_zone_that_cannot_be_held_against_anything_goes_on(
    until: Until, log_events: Events
) -> None:
    place = Place()
    place.store.before = failing("zone_drift")
    async with Running(place):
        await enter(place, until)
        await asyncio.sleep(RECOUNT_SECONDS)
    assert [e for e in log_events if e["event"] == "zone.count_failed"]
    assert drift(place, "stays") is None
