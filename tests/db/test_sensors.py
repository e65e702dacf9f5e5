"""What sensors say is kept as the newest word of each, and settles its message, on every store."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from gated.core.errors import FencedOut
from gated.core.ids import EventId, Fence, Slug
from gated.core.plates import Plate
from gated.ports import Store
from gated.records import EventStatus, InboxRow, SensorOutcome, SensorWord, SpotSeen, ZoneCounted
from tests.db.site import NOW, Gate
from tests.db.stores import Bench

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DECK, CAR = Slug("zone-0"), Plate("BAB123")


@dataclass(slots=True)
class Sensors:
    """A gate whose sensors speak."""

    gate: Gate

    @property
    def store(self) -> Store:
        return self.gate.store

    async def event(self, at: datetime = NOW) -> EventId:
        row = InboxRow(
            id=EventId(uuid4()),
            key=uuid4().hex,
            device=None,
            lane=None,
            topic="gated/v1/site/zone/zone-0/count",
            payload=b"{}",
            kind="zone_count",
            status=EventStatus.NEW,
            device_at=at,
            received_at=at,
        )
        await self.store.append_events(self.gate.site.id, self.gate.fence, [row])
        return row.id

    async def say(
        self, word: SensorWord, *, heard_at: datetime | None = None, event: EventId | None = None
    ) -> SensorOutcome:
        heard_at = heard_at or word.at
        event = event or await self.event(heard_at)
        return await self.store.note_sensor(
            self.gate.site.id, self.gate.fence, event, word, heard_at
        )

    async def pending(self) -> int:
        return len(await self.store.pending_events(self.gate.site.id, 10))

    async def sensed(self, at: datetime = NOW) -> int | None:
        return (await self.store.zone_drift(self.gate.site.zone, at)).sensed


def counted(occupied: int, at: datetime = NOW, zone: Slug = DECK) -> ZoneCounted:
    return ZoneCounted("k", zone, occupied, at, at)


def seen(
    number: str, occupied: bool = True, at: datetime = NOW, plate: Plate | None = None
) -> SpotSeen:
    return SpotSeen("k", DECK, number, occupied, at, at, plate)


@pytest.fixture
async def sensors(bench: Bench) -> Sensors:
    return Sensors(await bench.gate())


async def test_the_newest_count_of_a_zone_stands(sensors: Sensors) -> None:
    assert await sensors.say(counted(2)) is SensorOutcome.NOTED
    assert await sensors.say(counted(3, NOW + MINUTE)) is SensorOutcome.NOTED
    assert await sensors.say(counted(9, NOW), heard_at=NOW + HOUR) is SensorOutcome.OLDER
    assert await sensors.sensed(NOW + HOUR) == 3
    assert await sensors.pending() == 0


async def test_of_two_words_of_one_moment_the_later_heard_stands(sensors: Sensors) -> None:
    await sensors.say(counted(2))
    assert await sensors.say(counted(4)) is SensorOutcome.NOTED
    assert await sensors.sensed() == 4


async def test_a_zone_that_is_not_there_is_unknown_and_settled(sensors: Sensors) -> None:
    assert await sensors.say(counted(1, zone=Slug("cellar"))) is SensorOutcome.UNKNOWN
    assert await sensors.pending() == 0


async def test_a_spot_that_is_not_there_is_unknown_and_settled(sensors: Sensors) -> None:
    assert await sensors.say(seen("A-3")) is SensorOutcome.UNKNOWN
    elsewhere = replace(seen("A-1"), zone=Slug("zone-1"))
    assert await sensors.say(elsewhere) is SensorOutcome.UNKNOWN
    assert await sensors.pending() == 0


async def test_a_word_that_is_told_again_is_done(sensors: Sensors) -> None:
    event = await sensors.event()
    assert await sensors.say(counted(2), event=event) is SensorOutcome.NOTED
    assert await sensors.say(counted(7), event=event) is SensorOutcome.EVENT_DONE
    assert await sensors.sensed() == 2


async def test_an_old_fence_writes_nothing(sensors: Sensors) -> None:
    event = await sensors.event()
    site = sensors.gate.site
    with pytest.raises(FencedOut):
        await sensors.store.note_sensor(site.id, Fence(0), event, counted(2), NOW)
    assert (await sensors.sensed(), await sensors.pending()) == (None, 1)


async def test_spots_count_for_their_zone_once_each_of_them_has_spoken(sensors: Sensors) -> None:
    for number, occupied in (("A-1", True), ("A-2", False)):
        await sensors.say(seen(number, occupied))
    assert await sensors.sensed() is None, "A-10 has no sensor, as far as anybody knows"
    await sensors.say(seen("A-10", occupied=True))
    assert await sensors.sensed(NOW + 90 * 24 * HOUR) == 2, "they tell of changes alone"


async def test_the_zone_s_own_counter_comes_before_its_spots_for_a_day(sensors: Sensors) -> None:
    for number in ("A-1", "A-2", "A-10"):
        await sensors.say(seen(number))
    await sensors.say(counted(1))
    assert await sensors.sensed(NOW + 23 * HOUR) == 1
    assert await sensors.sensed(NOW + 25 * HOUR) == 3


async def test_a_vehicle_inside_is_counted_and_is_a_stay(sensors: Sensors) -> None:
    await sensors.gate.admitted()
    await sensors.say(counted(0))
    drift = await sensors.store.zone_drift(sensors.gate.site.zone, NOW)
    assert (drift.counted, drift.stays, drift.sensed, drift.allowed) == (1, 1, 0, 5)


# ── since when (on PostgreSQL) ──────────────────────────────────────────────────────────────


@pytest.fixture
async def spots(postgres_bench: Bench) -> Sensors:
    return Sensors(await postgres_bench.gate())


async def state(owner: asyncpg.Connection, sensors: Sensors) -> tuple[object, ...]:
    """occupied, plate, and how many minutes after NOW: since, heard, told."""
    row = await owner.fetchrow(
        "SELECT t.* FROM gate.spot_states t JOIN parking_spots s ON s.id = t.spot_id"
        " WHERE t.facility_id = $1 AND s.spot_number = 'A-1'",
        sensors.gate.site.id,
    )
    assert row is not None
    times = [(row[name] - NOW) / MINUTE for name in ("since", "heard_at", "told_at")]
    return row["occupied"], row["plate"], *times


async def test_a_repeated_word_does_not_move_since(
    spots: Sensors, owner_of: asyncpg.Connection
) -> None:
    await spots.say(seen("A-1", at=NOW), heard_at=NOW + MINUTE)
    await spots.say(seen("A-1", at=NOW + 5 * MINUTE))
    assert await state(owner_of, spots) == (True, None, 0, 1, 5)
    await spots.say(seen("A-1", occupied=False, at=NOW + 6 * MINUTE))
    assert await state(owner_of, spots) == (False, None, 6, 6, 6)


async def test_a_plate_that_cannot_be_read_any_more_is_not_forgotten(
    spots: Sensors, owner_of: asyncpg.Connection
) -> None:
    await spots.say(seen("A-1"))
    await spots.say(seen("A-1", at=NOW + MINUTE, plate=CAR))
    await spots.say(seen("A-1", at=NOW + 2 * MINUTE))
    assert await state(owner_of, spots) == (True, "BAB123", 1, 1, 2)
    await spots.say(seen("A-1", at=NOW + 3 * MINUTE, plate=Plate("OTHER1")))
    assert await state(owner_of, spots) == (True, "OTHER1", 3, 3, 3)
    await spots.say(seen("A-1", at=NOW + 4 * MINUTE, occupied=False))
    await spots.say(seen("A-1", at=NOW + 5 * MINUTE))
    assert await state(owner_of, spots) == (True, None, 5, 5, 5), "another vehicle, as it may be"


async def test_what_came_late_changes_nothing(spots: Sensors, owner_of: asyncpg.Connection) -> None:
    await spots.say(seen("A-1", occupied=False, at=NOW + 5 * MINUTE))
    late = seen("A-1", at=NOW, plate=CAR)
    assert await spots.say(late, heard_at=NOW + HOUR) is SensorOutcome.OLDER
    assert await state(owner_of, spots) == (False, None, 5, 5, 5)


async def test_events_say_what_became_of_them(spots: Sensors, owner_of: asyncpg.Connection) -> None:
    await spots.say(counted(1))
    await spots.say(counted(1, NOW - MINUTE))
    await spots.say(counted(1, zone=Slug("cellar")))
    outcomes = await owner_of.fetch(
        "SELECT outcome FROM gate.events WHERE facility_id = $1 ORDER BY seq", spots.gate.site.id
    )
    assert [row["outcome"] for row in outcomes] == ["noted", "superseded", "unexpected"]


async def test_words_that_come_at_once_leave_the_newest(
    spots: Sensors, owner_of: asyncpg.Connection
) -> None:
    words = [seen("A-1", occupied=n % 2 == 0, at=NOW + n * MINUTE) for n in range(12)]
    counts = [counted(n, NOW + n * MINUTE) for n in range(12)]
    all_of_it = [word for pair in zip(words[::-1], counts[::-1], strict=True) for word in pair]
    outcomes = await asyncio.gather(*(spots.say(word) for word in all_of_it))
    assert set(outcomes) <= {SensorOutcome.NOTED, SensorOutcome.OLDER}
    occupied, plate, since, heard, told = await state(owner_of, spots)
    assert (occupied, plate, told) == (False, None, 11)
    assert since == heard, "the first word of this state that was not overtaken"
    assert since in range(1, 12, 2)
    assert await spots.sensed(NOW + HOUR) == 11
