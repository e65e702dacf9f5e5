"""The web shop beside the gate: plain SQL of a role that has never heard of the schema `gate`.

What a reasonable shop does, in Django's manner: a transaction per request; `select_for_update()` on
the spot, then `save(update_fields=…)` of what it changes, then the booking. It sets a spot's status
only with a vehicle that comes or goes now; a reservation leaves it alone, since the spot may be in
use until then. It writes neither counters nor `current_booking`. It looks for overlaps or leaves
that to the constraints, and tells its customer of a refusal. It tries again after a deadlock, which
it risks by locking the spot before the booking where the gate does it the other way round.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.ids import FacilityId, LaneId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Right
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.records import AdmitOutcome, ReleaseOutcome
from tests.db.place import Connection
from tests.db.site import NOW, Gate, drifts, make_site, set_up, write_site
from tests.db.stores import HOLDER
from tests.e2e.waiting import eventually_asked
from tests.services.databases import Database

Answer = TypeVar("Answer")
Session: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

SEED = 7
SHOPPERS, LANES, TURNS = 8, 6, 25
HOUR = timedelta(hours=1)
ATTEMPTS_MAX = 10
REFUSALS = {"claims_spot_excl", "claims_stay_spot_key", "claims_stay_plate_key"}

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON
    users, vehicles, facilities, zones, parking_spots, bookings, payments, user_subscriptions
TO {shop};
GRANT SELECT ON pricing_rules, subscriptions TO {shop};
"""
SOME_SPOT = """
SELECT s.id FROM parking_spots s JOIN zones z ON z.id = s.zone_id
WHERE z.facility_id = $1 AND s.is_active AND ($2::spot_status IS NULL OR s.status = $2)
ORDER BY random() LIMIT 1 FOR UPDATE OF s
"""
SPOT_OF = """
SELECT s.id FROM parking_spots s JOIN bookings b ON b.spot_id = s.id
WHERE b.id = $1 FOR UPDATE OF s
"""
SET_STATUS = "UPDATE parking_spots SET status = $2::spot_status WHERE id = $1"
BOOK = """
INSERT INTO bookings (id, facility_id, spot_id, booking_type, status, entry_time, expected_exit,
    plate_number)
VALUES ($1, $2, $3, $4::booking_type, $5::booking_status, $6, $7, $8)
"""
END = "UPDATE bookings SET status = 'COMPLETED', actual_exit = $2 WHERE id = $1"
CANCEL = "UPDATE bookings SET status = 'CANCELLED' WHERE id = $1 AND status = 'CONFIRMED'"
PAY = """
INSERT INTO payments (amount, currency, provider, status, provider_txn_id, booking_id)
VALUES (2.50, 'EUR', 'STRIPE', 'COMPLETED', $2, $1)
"""
# By the bookings alone: what the claims should have refused.
TWICE = """
SELECT count(*) FROM bookings a JOIN bookings b ON b.spot_id = a.spot_id AND b.id > a.id
WHERE a.status IN ('ACTIVE', 'CONFIRMED') AND b.status IN ('ACTIVE', 'CONFIRMED')
    AND (a.status = 'ACTIVE' AND b.status = 'ACTIVE'
        OR tstzrange(a.entry_time, a.expected_exit) && tstzrange(b.entry_time, b.expected_exit))
"""
WAITS = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid())
"""


@dataclass(slots=True)
class Shop:
    """The shop's connections, and what it met."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    facility: FacilityId
    met: Counter[str] = field(default_factory=Counter)

    async def request(self, work: Callable[[Session], Awaitable[Answer]]) -> Answer | None:
        """One transaction; None where a constraint refused it."""
        for _ in range(ATTEMPTS_MAX):
            try:
                async with self.pool.acquire() as session, session.transaction():
                    answer = await work(session)
            except asyncpg.DeadlockDetectedError:
                self.met["deadlock"] += 1
            except asyncpg.IntegrityConstraintViolationError as refusal:
                self.met[refusal.constraint_name or "?"] += 1
                return None
            else:
                self.met["done"] += 1
                return answer
        raise AssertionError(f"{ATTEMPTS_MAX} deadlocks in a row")

    async def park(self, plate: str, at: datetime, spot: UUID | None = None) -> UUID | None:
        """A vehicle is put on a free spot, or on this one, whatever it says."""
        booking = uuid4()

        async def work(session: Session) -> UUID | None:
            free = spot or await session.fetchval(SOME_SPOT, self.facility, "AVAILABLE")
            if free is None:
                return None
            await session.execute(SET_STATUS, free, "OCCUPIED")
            await session.execute(
                BOOK, booking, self.facility, free, "WALK_IN", "ACTIVE", at, at + HOUR, plate
            )
            return booking

        return await self.request(work)

    async def take_away(self, booking: UUID, at: datetime) -> None:
        """Spot first, then booking."""

        async def work(session: Session) -> None:
            spot = await session.fetchval(SPOT_OF, booking)
            await session.execute(SET_STATUS, spot, "AVAILABLE")
            await session.execute(END, booking, at)

        await self.request(work)

    async def reserve(self, plate: str, start: datetime, spot: UUID | None = None) -> UUID | None:
        booking = uuid4()

        async def work(session: Session) -> UUID:
            some = spot or await session.fetchval(SOME_SPOT, self.facility, None)
            await session.execute(
                BOOK, booking, self.facility, some, "RESERVATION", "CONFIRMED", start,
                start + HOUR, plate,
            )  # fmt: skip
            return booking

        return await self.request(work)

    async def cancel(self, booking: UUID, *, spot_first: bool = False) -> None:
        async def work(session: Session) -> None:
            if spot_first:
                await session.fetchrow(SPOT_OF, booking)
            await session.fetchrow("SELECT * FROM bookings WHERE id = $1 FOR UPDATE", booking)
            await session.execute(CANCEL, booking)

        await self.request(work)

    async def pay(self, booking: UUID) -> None:
        await self.request(lambda session: session.execute(PAY, booking, str(uuid4())))

    async def look_closely(self, seconds: float) -> None:
        """Somebody edits the facility and its zones, and takes a while."""

        async def work(session: Session) -> None:
            await session.execute(
                "SELECT * FROM facilities WHERE id = $1 FOR UPDATE", self.facility
            )
            await session.execute(
                "SELECT * FROM zones WHERE facility_id = $1 ORDER BY id FOR UPDATE", self.facility
            )
            await session.execute("SELECT pg_sleep($1)", seconds)

        await self.request(work)


@dataclass(frozen=True, slots=True)
class Town:
    """A car park with two rivals for its spots."""

    gate: Gate
    shop: Shop
    owner: Connection
    # Each failed attempt of the store, whether or not a later one succeeded.
    failures: Counter[str]

    @property
    def store(self) -> PostgresStore:
        assert isinstance(self.gate.store, PostgresStore)
        return self.gate.store

    async def spot(self, number: str) -> UUID:
        spot: UUID = await self.owner.fetchval(
            "SELECT id FROM parking_spots WHERE spot_number = $1", number
        )
        return spot

    async def state(self, number: str) -> str:
        state: str = await self.owner.fetchval(
            "SELECT status::text FROM parking_spots WHERE spot_number = $1", number
        )
        return state

    async def drifts(self) -> list[tuple[object, ...]]:
        await self.store.count_changes()
        return await drifts(self.owner, self.gate.site.id)


@pytest.fixture
async def town(database: Database, owner: Connection) -> AsyncIterator[Town]:
    role = f"shop_{uuid4().hex}"
    await owner.execute(f"CREATE ROLE {role} LOGIN; {RIGHTS.format(shop=role)}")
    # Deadlocks are noticed soon: the test shall not wait for them.
    await owner.execute(f'ALTER DATABASE "{database.name}" SET deadlock_timeout = 50')
    site = make_site([["1", "2", "3"], ["4", "5"]])
    await write_site(database.dsn, site)
    await set_up(owner, site.id, stay_minutes_expected=60)
    failures: Counter[str] = Counter()
    settings = DatabaseSettings(database.dsn_as("gated_daemon"), command_timeout_seconds=10)
    try:
        async with (
            open_store(
                settings, rng=random.Random(SEED), on_failure=lambda kind: failures.update([kind])
            ) as store,
            asyncpg.create_pool(
                database.dsn_as(role), min_size=0, max_size=SHOPPERS, statement_cache_size=0
            ) as pool,
        ):
            lease = await store.acquire_lease(site.id, HOLDER, 3600)
            assert lease is not None
            yield Town(Gate(store, site, lease[0]), Shop(pool, site.id), owner, failures)
    finally:
        await owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


# ── one at a time ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM gate.claims",
        "DELETE FROM gate.claims",
        "UPDATE gate.tickets SET entry_time = now()",
        "SELECT gate.count_all_changes_v1()",
        "SELECT gate.put_claim(b) FROM bookings b",
    ],
)
async def test_the_shop_has_no_rights_in_the_schema_of_the_gate(town: Town, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await town.shop.pool.execute(statement)


async def test_what_the_shop_puts_and_takes_away_is_counted_and_claimed(town: Town) -> None:
    booking = await town.shop.park("S1", NOW)
    assert booking is not None
    assert await town.owner.fetchval("SELECT available_spots FROM facilities") == 4
    assert await town.owner.fetchval("SELECT kind FROM gate.claims") == "stay"
    await town.shop.take_away(booking, NOW + HOUR)
    assert await town.owner.fetchval("SELECT available_spots FROM facilities") == 5
    assert await town.drifts() == []


async def test_the_gate_lets_the_shops_reservation_in_and_the_shop_cancels_another(
    town: Town,
) -> None:
    booking = await town.shop.reserve("S1", NOW, await town.spot("4"))
    other = await town.shop.reserve("S2", NOW, await town.spot("5"))
    assert booking is not None
    assert other is not None
    site = town.gate.site
    assert await town.store.keep_reservations(site.id, NOW) == (0, 2)
    await town.shop.cancel(other)
    assert [await town.state(number) for number in "45"] == ["RESERVED", "AVAILABLE"]
    right = Entitlement(Right.RESERVATION, booking)
    request = await town.gate.entry("S1", zone=site.setup.zones[1].id, entitlement=right)
    admitted = await town.store.admit(site.id, town.gate.fence, request)
    assert (admitted.stay, admitted.spot_number) == (booking, "4")
    assert await town.drifts() == []


async def test_a_booking_that_overlaps_the_stay_on_a_spot_is_refused(town: Town) -> None:
    await town.gate.admitted("A1")
    assert await town.shop.reserve("S1", NOW + HOUR / 2, await town.spot("1")) is None
    assert await town.shop.park("S1", NOW, await town.spot("1")) is None
    assert town.shop.met == {"claims_spot_excl": 2}
    assert await town.drifts() == []


async def test_a_second_stay_of_a_vehicle_that_is_inside_is_refused(town: Town) -> None:
    await town.gate.admitted("A1")
    assert await town.shop.park("a-1", NOW) is None
    assert town.shop.met == {"claims_stay_plate_key": 1}
    assert await town.drifts() == []


# ── locks ───────────────────────────────────────────────────────────────────────────────────


async def visit(town: Town, plate: str, lane: LaneId, at: datetime) -> AdmitOutcome:
    """A vehicle comes, with its reservation where it has one; and leaves, or backs out."""
    site, fence, store = town.gate.site, town.gate.fence, town.store
    seen = await store.plate_snapshot(site.id, Plate(plate), Direction.ENTRY, at)
    zone, right = site.zone, None
    if seen.reservation is not None:
        zone = seen.reservation.zone
        right = Entitlement(Right.RESERVATION, seen.reservation.id)
    request = await town.gate.entry(plate, lane=lane, zone=zone, at=at, entitlement=right)
    admitted = await store.admit(site.id, fence, request)
    if admitted.stay is not None and at.second % 3:
        departure = await town.gate.departure(admitted.stay, plate, at=at)
        released = await store.release(site.id, fence, departure)
        assert released.outcome is ReleaseOutcome.RELEASED
    elif admitted.stay is not None:
        await store.cancel_admission(
            site.id, fence, admitted.stay, lane, "backed out", at, request.event
        )
    return admitted.outcome


@pytest.mark.parametrize(
    "lock",
    [
        # As `select_for_update(no_key=True)` and any UPDATE do.
        "SELECT * FROM facilities FOR NO KEY UPDATE",
        "SELECT * FROM zones FOR NO KEY UPDATE",
        "SELECT * FROM zones FOR UPDATE",
        "UPDATE facilities SET name = 'Under repair'",
    ],
)
async def test_whoever_locks_the_counters_for_long_holds_up_no_vehicle(
    town: Town, lock: str
) -> None:
    async with town.shop.pool.acquire() as session:
        async with session.transaction():
            await session.execute(lock)
            for number in range(3):
                assert await visit(town, f"A{number}", town.gate.site.entry, NOW) == "admitted"
            await town.gate.admitted("STAYS1")
            assert await town.owner.fetchval("SELECT available_spots FROM facilities") == 5
        assert not town.failures
    await town.store.count_changes()
    assert await town.owner.fetchval("SELECT available_spots FROM facilities") == 4
    assert await town.drifts() == []


async def test_the_strongest_lock_on_a_facility_delays_entries_and_no_exits(town: Town) -> None:
    """Plain `FOR UPDATE` is as good as a deletion: no new booking may refer to the row then."""
    stay = await town.gate.admitted("A1")
    leaving = await town.gate.departure(stay, "A1")
    coming = await town.gate.entry("A2")
    site, fence = town.gate.site.id, town.gate.fence
    async with town.shop.pool.acquire() as session, session.transaction():
        await session.execute("SELECT * FROM facilities FOR UPDATE")
        released = await town.store.release(site, fence, leaving)
        assert released.outcome is ReleaseOutcome.RELEASED
        admitting = asyncio.create_task(town.store.admit(site, fence, coming))

        async def waits() -> bool:
            return bool(await town.owner.fetchval(WAITS, "admit_v1"))

        await eventually_asked(waits, "the admission waits for the facility")
    assert (await admitting).stay == coming.stay
    assert not town.failures
    assert await town.drifts() == []


async def test_a_shop_that_locks_the_other_way_round_costs_nobody_an_error(town: Town) -> None:
    """It has the spot and wants the booking; the gate's exit has the booking and wants the spot."""
    stay = await town.gate.admitted("A1")
    departure = await town.gate.departure(stay, "A1")
    leaving: list[asyncio.Task[object]] = []

    async def take_away(session: Session) -> None:
        await session.execute("SELECT FROM parking_spots WHERE spot_number = '1' FOR UPDATE")
        if not leaving:
            call = town.store.release(town.gate.site.id, town.gate.fence, departure)
            leaving.append(asyncio.create_task(call))

            async def waits() -> bool:
                return bool(await town.owner.fetchval(WAITS, "release_v1"))

            await eventually_asked(waits, "the exit waits for the spot")
        await session.execute("UPDATE bookings SET expected_exit = NULL WHERE id = $1", stay)

    await town.shop.request(take_away)
    [released] = [await task for task in leaving]
    assert getattr(released, "outcome", None) is ReleaseOutcome.RELEASED
    assert town.shop.met["deadlock"] + town.failures["retryable"] == 1
    assert await town.drifts() == []


# ── all at once ─────────────────────────────────────────────────────────────────────────────


ACTS = ["park", "take away", "reserve", "reserve", "cancel", "cancel", "look", "pay"]
# What becomes of a vehicle; the last one's reservation was cancelled as it stood at the entrance.
ENDS = {"admitted", "zone_full", "zone_reserved", "already_inside", "booking_not_open"}


async def shop_for_a_while(town: Town, number: int, plates: list[str]) -> None:
    rng, shop = random.Random(SEED * 100 + number), town.shop
    parked: list[UUID] = []
    reserved: list[UUID] = []
    for turn in range(TURNS):
        at, plate = NOW + timedelta(seconds=turn), rng.choice(plates)
        match rng.choice(ACTS):
            case "park":
                parked += [one for one in [await shop.park(plate, at)] if one]
            case "take away" if parked:
                await shop.take_away(parked.pop(), at)
            case "reserve":
                start = at + rng.choice([timedelta(0), timedelta(0), 2 * HOUR, 24 * HOUR])
                reserved += [one for one in [await shop.reserve(plate, start)] if one]
            case "cancel" if reserved:
                booking = reserved.pop(rng.randrange(len(reserved)))
                await shop.cancel(booking, spot_first=rng.random() < 0.5)
            case "look":
                await shop.look_closely(0.02)
            case "pay" if parked:
                await shop.pay(parked[-1])
    for booking in parked:
        await shop.take_away(booking, NOW + HOUR)


async def admit_for_a_while(
    town: Town, number: int, plates: list[str], outcomes: Counter[str]
) -> None:
    lane = town.gate.site.entry if number % 2 else town.gate.site.entry_two
    for turn in range(TURNS):
        outcomes[await visit(town, plates[number], lane, NOW + timedelta(seconds=turn))] += 1
        await town.store.keep_reservations(town.gate.site.id, NOW)


async def test_shop_and_gate_at_once_give_no_spot_twice(town: Town) -> None:
    """The gate meets no error at all; the shop none but refusals, and deadlocks that pass."""
    print(f"seed {SEED}")
    # The gate's vehicles are customers of the shop too.
    plates = [f"P{number}" for number in range(SHOPPERS + LANES)]
    outcomes: Counter[str] = Counter()
    async with asyncio.TaskGroup() as both:
        for number in range(SHOPPERS):
            both.create_task(shop_for_a_while(town, number, plates))
        for number in range(LANES):
            both.create_task(admit_for_a_while(town, number, plates, outcomes))
    print(f"gate: {outcomes}, failed attempts: {town.failures}; shop: {town.shop.met}")
    assert set(outcomes) <= ENDS
    assert outcomes["admitted"]
    assert set(town.shop.met) <= REFUSALS | {"deadlock", "done"}
    assert await town.owner.fetchval(TWICE) == 0
    assert await town.owner.fetchval("SELECT count(*) FROM bookings WHERE status = 'ACTIVE'") == 0
    assert await town.owner.fetchval("SELECT count(*) FROM gate.reconciliations") == 0
    assert await town.drifts() == []
