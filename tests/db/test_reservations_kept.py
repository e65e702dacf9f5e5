"""Spots that are held for who is expected, no-shows, cancellations, and a crowd of all of it."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from gated.core.ids import StayId
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import (
    Actor,
    CancelOutcome,
)
from gated.records import AdmitOutcome, ZoneCount
from tests.db.scene import (
    HOUR,
    MINUTE,
    START,
    TICK,
    UNTIL,
    R,
    Scene,
    request,
    until_it_waits,
)
from tests.db.site import NOW, drifts, make_site, set_up, written
from tests.db.stores import Bench

# ── holding ─────────────────────────────────────────────────────────────────────────────────


async def test_a_spot_that_is_about_to_be_needed_is_held(scene: Scene) -> None:
    zone, far = scene.gate.site.zone, timedelta(days=60)  # nowhere near the server's own clock
    start = START + far
    booking = await scene.held(start=start, until=start + HOUR)
    count = scene.gate.store.zone_count
    assert await count(zone) == ZoneCount(5, 0, 0)
    assert await scene.keep(start - 30 * MINUTE - TICK) == (0, 0)
    assert await scene.state("2") == ("AVAILABLE", None)
    assert await scene.keep(start - 30 * MINUTE) == (0, 1)
    assert await scene.state("2") == ("RESERVED", booking)
    assert await scene.keep(start - 29 * MINUTE) == (0, 0), "it is held already"
    assert await count(zone) == ZoneCount(5, 0, 1)
    snapshot = await scene.snapshot(NOW)
    assert (snapshot.available or {})[zone] == 4
    assert await drifts(scene.owner, scene.id) == []
    await scene.arrive(booking, start)
    assert await scene.state("2") == ("OCCUPIED", booking)
    assert await count(zone) == ZoneCount(5, 1, 0)


async def test_one_that_may_come_now_counts_before_it_is_held(scene: Scene) -> None:
    """Reserved for now, between two rounds of the housekeeping; once, although it overlaps."""
    now = await scene.owner.fetchval("SELECT now()")
    await scene.held(start=now - HOUR, until=now + HOUR, at=now)
    zone = scene.gate.site.zone
    assert await scene.gate.store.zone_count(zone) == ZoneCount(5, 0, 1)
    await scene.keep(now)
    assert await scene.gate.store.zone_count(zone) == ZoneCount(5, 0, 1)


@pytest.mark.parametrize("status", ["MAINTENANCE", "OCCUPIED"])
async def test_a_spot_that_is_not_free_is_not_held(alone: Scene, status: str) -> None:
    if status == "OCCUPIED":
        await alone.gate.admitted("STAYS1", at=START - 4 * HOUR)
    booking = await alone.held(at=START - 2 * HOUR)
    if status == "MAINTENANCE":
        await alone.owner.execute(
            "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE id = $1", alone.spots["2"]
        )
    assert await alone.keep(START) == (0, 0)
    assert (await alone.state("2"))[0] == status
    assert (await alone.booking(booking))["status"] == "CONFIRMED"


async def test_holding_waits_for_no_spot_that_is_being_worked_on(alone: Scene) -> None:
    await alone.held()
    async with alone.owner.transaction():
        await alone.owner.execute(
            "SELECT FROM parking_spots WHERE id = $1 FOR UPDATE", alone.spots["2"]
        )
        assert await alone.keep(START) == (0, 0)
    assert await alone.keep(START) == (0, 1)


PAUSE = """
CREATE FUNCTION gate.pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(42);
    RETURN NEW;
END $$;
CREATE TRIGGER pause BEFORE UPDATE ON parking_spots FOR EACH ROW EXECUTE FUNCTION gate.pause();
SELECT pg_advisory_lock(42);
"""


@pytest.mark.direct("holds a lock of its session")
async def test_a_reservation_that_is_cancelled_during_the_round_holds_nothing(
    fresh_bench: Bench,
) -> None:
    """The planted pause: the round has seen the last of twelve, and is busy with the first."""
    gate = await fresh_bench.gate(make_site([[str(number) for number in range(12)]]))
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        scene = Scene(fresh_bench, owner, gate, {})
        made = [request(start=START + number * MINUTE) for number in range(12)]
        for one in made:
            await scene.ask(one)
        await owner.execute(PAUSE)
        keeping = asyncio.create_task(scene.keep(START))
        await until_it_waits(owner, "hold_spots_v1")
        await owner.execute("UPDATE bookings SET status = 'CANCELLED' WHERE id = $1", made[-1].id)
        await owner.execute("SELECT pg_advisory_unlock(42)")
        assert await keeping == (0, 11)
        assert await drifts(owner, gate.site.id) == []
    finally:
        await owner.close()


# ── ending ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("late_minutes_max", "end"), [(None, UNTIL), (15, START + 15 * MINUTE)])
async def test_one_that_does_not_come_is_a_no_show_and_its_spot_free(
    alone: Scene, late_minutes_max: int | None, end: datetime
) -> None:
    await set_up(alone.owner, alone.id, late_minutes_max=late_minutes_max)
    booking = await alone.held()
    assert await alone.keep(end - TICK) == (0, 1)
    assert await alone.state("2") == ("RESERVED", booking)
    assert await alone.keep(end) == (1, 0)
    assert await alone.state("2") == ("AVAILABLE", None)
    assert (await alone.booking(booking))["status"] == "NO_SHOW"
    assert await alone.audits(booking) == [
        ("booking.reserved", "operator"),
        ("booking.no_show", "gated"),
    ]
    assert await alone.keep(end) == (0, 0)
    assert (await alone.reserve(start=end, until=UNTIL + HOUR, at=end)).outcome is R.RESERVED
    assert (await alone.arrive(booking, end)).outcome is AdmitOutcome.BOOKING_NOT_OPEN
    assert await drifts(alone.owner, alone.id) == []


async def test_one_that_is_worked_on_just_now_is_no_no_show_yet(alone: Scene) -> None:
    booking = await alone.held()
    async with alone.owner.transaction():
        await alone.owner.execute("SELECT FROM bookings WHERE id = $1 FOR UPDATE", booking)
        assert (await alone.keep(UNTIL))[0] == 0
    assert (await alone.keep(UNTIL))[0] == 1


async def test_facilities_are_awaited_while_somebody_is_expected(alone: Scene) -> None:
    awaited = alone.bench.postgres.awaited_facilities
    early = START - 30 * MINUTE
    assert alone.id not in await awaited(START + HOUR)
    await alone.held()
    assert alone.id not in await awaited(early - TICK)
    assert alone.id in await awaited(early)
    await set_up(alone.owner, alone.id, early_minutes_max=2 * 24 * 60)
    assert alone.id in await awaited(START - timedelta(days=2))
    await alone.keep(UNTIL)
    assert alone.id not in await awaited(UNTIL)


@pytest.mark.parametrize("held", [True, False])
async def test_a_cancelled_reservation_frees_its_spot(alone: Scene, held: bool) -> None:
    booking = await alone.held()
    if held:
        await alone.keep(START)
    clerk = await alone.bench.user()
    for _ in range(2):  # the second time nothing is left to do
        cancelled = await alone.bench.postgres.cancel_booking(
            alone.id, booking, "changed my mind", NOW, Actor("desk", clerk)
        )
        assert cancelled is CancelOutcome.CANCELLED
    row = await alone.booking(booking)
    assert (row["status"], row["cancel_reason"]) == ("CANCELLED", "changed my mind")
    assert await alone.audits(booking) == [
        ("booking.cancelled", "desk"),
        ("booking.reserved", "operator"),
    ]
    assert await alone.state("2") == ("AVAILABLE", None)
    assert (await alone.reserve()).outcome is R.RESERVED
    assert await drifts(alone.owner, alone.id) == []


async def test_what_has_begun_or_is_over_is_not_cancelled(scene: Scene) -> None:
    cancel = scene.bench.postgres.cancel_booking
    inside, missed = await scene.held(until=UNTIL), await scene.held(spot=scene.spots["5"])
    await scene.arrive(inside, START)
    await scene.keep(UNTIL)
    other = await scene.bench.gate()
    cases = [
        (inside, CancelOutcome.BOOKING_ACTIVE),
        (missed, CancelOutcome.BOOKING_ENDED),
        (StayId(uuid4()), CancelOutcome.BOOKING_UNKNOWN),
    ]
    for booking, outcome in cases:
        before = await written(scene.owner, scene.id)
        assert await cancel(scene.id, booking, "x", UNTIL) is outcome
        assert await written(scene.owner, scene.id) == before
    elsewhere = await cancel(other.site.id, inside, "x", UNTIL)
    assert elsewhere is CancelOutcome.BOOKING_UNKNOWN
    await scene.leave(inside, UNTIL)
    assert await cancel(scene.id, inside, "x", UNTIL) is CancelOutcome.BOOKING_ENDED


async def test_a_booking_that_holds_no_spot_yet_can_be_cancelled(scene: Scene) -> None:
    booking = StayId(uuid4())
    await scene.owner.execute(
        "INSERT INTO bookings (id, facility_id, entry_time) VALUES ($1, $2, $3)",
        booking,
        scene.id,
        START,
    )
    cancelled = await scene.bench.postgres.cancel_booking(scene.id, booking, "x", NOW)
    assert cancelled is CancelOutcome.CANCELLED


# ── all at once ─────────────────────────────────────────────────────────────────────────────

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@dataclass(slots=True)
class Crowd:
    """People and machines that all want the same few spots, each doing what chance says."""

    scene: Scene
    made: list[tuple[StayId, datetime]]
    outcomes: Counter[str]

    async def reserve(self, rng: random.Random) -> None:
        start = NOW + rng.randrange(6) * HOUR / 2
        asked = request(start=start, until=start + HOUR, plate=f"CROWD{rng.randrange(9)}")
        answers = await asyncio.gather(*(self.scene.ask(asked) for _ in range(rng.randrange(1, 3))))
        self.outcomes.update(answer.outcome for answer in answers)
        if R.RESERVED in {answer.outcome for answer in answers}:
            self.made.append((asked.id, start))

    async def keep_house(self, rng: random.Random) -> None:
        await self.scene.keep(NOW + rng.randrange(6) * HOUR / 2)

    async def cancel(self, rng: random.Random) -> None:
        if self.made:
            booking, _ = rng.choice(self.made)
            store = self.scene.bench.postgres
            self.outcomes[await store.cancel_booking(self.scene.id, booking, "x", NOW)] += 1

    async def come(self, rng: random.Random) -> None:
        """With a reservation or without, through any zone; then back out, or leave at once."""
        booking, at = rng.choice(self.made) if self.made else (None, NOW)
        plate = f"CROWD{rng.randrange(9)}"
        zone = rng.choice(self.scene.gate.site.setup.zones).id
        right = Entitlement(Right.RESERVATION, booking) if booking and rng.random() < 0.6 else None
        asked = await self.scene.gate.entry(plate, at=at, zone=zone, entitlement=right)
        answer = await self.scene.gate.store.admit(self.scene.id, self.scene.gate.fence, asked)
        self.outcomes[answer.outcome] += 1
        if answer.stay is None:
            return
        if rng.random() < 0.5:
            await self.scene.gate.store.cancel_admission(
                self.scene.id, self.scene.gate.fence, answer.stay, asked.lane, "no", at, uuid4()
            )
        else:
            # After whatever entry stands: the stay may be one that another lane let in later.
            await self.scene.leave(answer.stay, NOW + 6 * HOUR, plate)

    async def act(self, seed: str) -> None:
        rng = random.Random(seed)
        for _ in range(12):
            await rng.choice((self.reserve, self.keep_house, self.cancel, self.come))(rng)


@pytest.mark.parametrize("seed", range(3))
async def test_a_crowd_leaves_one_truth_and_nobody_waits_for_each_other(
    postgres_bench: Bench, owner_of: asyncpg.Connection, seed: int
) -> None:
    gate = await postgres_bench.gate(make_site([["1", "2", "3"], ["4"]]))
    await set_up(owner_of, gate.site.id, stay_minutes_expected=20)
    before = await owner_of.fetchval(DEADLOCKS)
    crowd = Crowd(Scene(postgres_bench, owner_of, gate, {}), [], Counter())
    await asyncio.gather(*(crowd.act(f"{seed} {number}") for number in range(12)))
    assert await drifts(owner_of, gate.site.id) == [], f"seed {seed}"
    await owner_of.execute("SELECT pg_stat_clear_snapshot()")
    assert await owner_of.fetchval(DEADLOCKS) == before, f"seed {seed}"
    assert {R.RESERVED, AdmitOutcome.ADMITTED} & set(crowd.outcomes), "nothing came of it"
