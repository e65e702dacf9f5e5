"""The statements of a vehicle's and of a customer's way, one after the other on one connection.

Each meets a facility drawn by chance, so that what it needs is seldom what the last one left in
the caches. What an operation needs beforehand (a stored message, a reservation to come with) is
made outside of its time, and what it leaves behind is given back.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import TypeVar

from bench.db.facility import Inside, inside
from bench.db.gate import Gate, facility_id, open_gate, zone_id
from bench.db.server import Server
from bench.db.shape import VEHICLES, ZONES, Platform, registered_plate
from bench.figures import WARM_UP_SHARE, Figure, figure
from gated.app import SystemClock, SystemIds
from gated.core.ids import FacilityId, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import CancelOutcome, ReserveOutcome, ReserveRequest
from gated.db.connect import Connection, connected
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.records import AdmitOutcome, ReleaseOutcome

Answer = TypeVar("Answer")

ROUND_TRIP = "SELECT 1"
COMMIT = "one INSERT"
# In rounds, so that a small car park has room for the vehicles of one: four to a zone, of which
# every second comes with a reservation.
VEHICLES_PER_ROUND = 40
RESERVED_EVERY = 2
ROUND_MAX = 1000
REFUSED_SHARE_MAX = 0.05
CHARGE = "SELECT * FROM gate.charge_stay_v1($1, $2, $3, $4)"


class Stopwatch:
    """The times of each operation. The first of them are not counted."""

    def __init__(self, warm_up: int) -> None:
        self._warm_up = warm_up
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)

    async def time(self, name: str, work: Awaitable[Answer]) -> Answer:
        """Await `work`, and count how long that took."""
        began = perf_counter()
        answer = await work
        self._seconds[name].append(perf_counter() - began)
        return answer

    def figure(self, name: str, floor: str | None) -> Figure:
        return figure(name, self._seconds[name][self._warm_up :], floor)


async def measure(server: Server, platform: Platform, count: int, seed: int) -> list[Figure]:
    """`count` times each operation, in the order in which they come up."""
    rng = random.Random(seed)
    warm_up = count // WARM_UP_SHARE
    total = count + warm_up
    watch = Stopwatch(warm_up)
    settings = DatabaseSettings(server.daemon_dsn, pool_size_max=1)
    async with (
        server.owner() as owner,
        connected(server.daemon_dsn) as daemon,
        open_store(settings, rng=random.Random(seed)) as store,
    ):
        await make_floor_table(owner)
        shop = _Shop(store, platform, rng, watch)
        lanes = _Lanes(store, platform, rng, watch)
        # In thirds, since a machine is not the same all the time.
        third = -(-total // 3)
        await _floors(owner, watch, third)
        await shop.look(total)
        await shop.reserve_and_cancel(total)
        await _floors(owner, watch, third)
        await lanes.open()
        await lanes.snapshots(total)
        await _prices(daemon, lanes, watch, total)
        await _floors(owner, watch, third)
        await lanes.come_and_go(total)
    return [
        watch.figure(name, floor)
        for name, floor in (
            (ROUND_TRIP, None),
            (COMMIT, None),
            ("availability", ROUND_TRIP),
            ("reservation", COMMIT),
            ("cancellation", COMMIT),
            ("snapshot at entry, registered", ROUND_TRIP),
            ("snapshot at entry, stranger", ROUND_TRIP),
            ("admission, stranger", COMMIT),
            ("admission, reserved", COMMIT),
            ("price of a stay", ROUND_TRIP),
            ("snapshot at exit", ROUND_TRIP),
            ("release", COMMIT),
        )
    ]


async def make_floor_table(owner: Connection) -> None:
    """The table of the bare commits, empty, for owner and daemon."""
    await owner.execute("DROP TABLE IF EXISTS public.bench_floor")
    await owner.execute("CREATE TABLE public.bench_floor (id uuid PRIMARY KEY, text text)")
    await owner.execute("GRANT SELECT, INSERT ON public.bench_floor TO gated_daemon")


async def _floors(owner: Connection, watch: Stopwatch, count: int) -> None:
    for _ in range(count):
        await watch.time(ROUND_TRIP, owner.fetchval("SELECT 1"))
    for _ in range(count):
        key = uuid.uuid4()
        insert = "INSERT INTO public.bench_floor VALUES ($1, $2)"
        await watch.time(COMMIT, owner.execute(insert, key, "x" * 100))


class _Shop:
    """What a customer asks for, from the web shop."""

    def __init__(
        self, store: PostgresStore, platform: Platform, rng: random.Random, watch: Stopwatch
    ) -> None:
        self._store = store
        self._platform = platform
        self._rng = rng
        self._watch = watch
        self._clock = SystemClock()
        self._ids = SystemIds()

    async def look(self, total: int) -> None:
        for _ in range(total):
            start, until = self._period()
            spots = self._store.free_spots(self._facility(), start, until, self._clock.now())
            await self._watch.time("availability", spots)

    async def reserve_and_cancel(self, total: int) -> None:
        reserved = []
        for _ in range(total):
            start, until = self._period()
            facility = self._facility()
            request = ReserveRequest(
                id=StayId(self._ids.new()),
                start=start,
                until=until,
                at=self._clock.now(),
                plate=registered_plate(self._rng.randrange(self._platform.vehicles)),
            )
            answer = await self._watch.time("reservation", self._store.reserve(facility, request))
            if answer.outcome is ReserveOutcome.RESERVED:
                reserved.append((facility, request.id))
        if len(reserved) < total * (1 - REFUSED_SHARE_MAX):
            raise SystemExit(f"only {len(reserved)} of {total} reservations found a spot")
        for facility, booking in reserved:
            cancel = self._store.cancel_booking(facility, booking, "bench", self._clock.now())
            outcome = await self._watch.time("cancellation", cancel)
            if outcome is not CancelOutcome.CANCELLED:
                raise SystemExit(f"a cancellation was answered by {outcome}")

    def _facility(self) -> FacilityId:
        return facility_id(self._rng.randrange(self._platform.facilities))

    def _period(self) -> tuple[datetime, datetime]:
        """Some hours in the coming month."""
        start = self._clock.now() + timedelta(minutes=self._rng.uniform(24 * 60, 30 * 24 * 60))
        return start, start + timedelta(minutes=self._rng.uniform(60, 600))


class _Lanes:
    """What the daemon asks for while vehicles come and go."""

    def __init__(
        self, store: PostgresStore, platform: Platform, rng: random.Random, watch: Stopwatch
    ) -> None:
        self._store = store
        self._platform = platform
        self._rng = rng
        self._watch = watch
        self._clock = SystemClock()
        self._ids = SystemIds()
        self._gates: list[Gate] = []
        # Of this run alone: vehicles of one that was cut short may still be inside.
        self._run = uuid.uuid4().hex[:6].upper()
        self._vehicles = 0
        self.stays: Sequence[Inside] = []

    async def open(self) -> None:
        """Hold the leases, and know who is inside."""
        facilities = range(self._platform.facilities)
        self._gates = [await open_gate(self._store, facility) for facility in facilities]
        self.stays = [one for facility in facilities for one in inside(self._platform, facility)]

    async def snapshots(self, total: int) -> None:
        for _ in range(total):
            facility = self._rng.randrange(self._platform.facilities)
            vehicle = facility * VEHICLES + self._rng.randrange(VEHICLES)
            await self._snapshot(
                "snapshot at entry, registered",
                facility,
                Plate(registered_plate(vehicle)),
                Direction.ENTRY,
            )
        for index in range(total):
            facility = self._rng.randrange(self._platform.facilities)
            await self._snapshot(
                "snapshot at entry, stranger",
                facility,
                Plate(f"{self._run}N{index:06d}"),
                Direction.ENTRY,
            )
        for _ in range(total):
            stay = self._rng.choice(self.stays)
            await self._snapshot(
                "snapshot at exit", stay.facility, Plate(stay.plate), Direction.EXIT
            )

    async def _snapshot(self, name: str, facility: int, plate: Plate, direction: Direction) -> None:
        snapshot = await self._watch.time(
            name,
            self._store.plate_snapshot(facility_id(facility), plate, direction, self._clock.now()),
        )
        if direction is Direction.EXIT and snapshot.price is None:
            raise SystemExit(f"{plate.text} is inside, and has no price at the exit")

    async def come_and_go(self, total: int) -> None:
        """Until there were `total` of the rarer kind of admission."""
        per_round = min(ROUND_MAX, self._platform.facilities * VEHICLES_PER_ROUND)
        for _ in range(-(-total * RESERVED_EVERY // per_round)):
            await self._round(per_round)

    async def _round(self, vehicles: int) -> None:
        """So many come, and then they go. Zones in turn, so that no zone is full before others."""
        self._rng.shuffle(self._gates)
        came = []
        for index in range(vehicles):
            gate = self._gates[index % len(self._gates)]
            zone = zone_id(gate.facility, index // len(self._gates) % ZONES)
            self._vehicles += 1
            plate = Plate(f"{self._run}{self._vehicles:07d}")
            await gate.store_events(2)
            if index % RESERVED_EVERY:
                name, entitlement = "admission, stranger", None
            else:
                name = "admission, reserved"
                entitlement = await self._reserved(gate, zone, plate)
            answer = await self._watch.time(name, gate.admit(plate, zone, entitlement))
            if answer.outcome is not AdmitOutcome.ADMITTED or answer.stay is None:
                raise SystemExit(f"{name} at {gate.id}: {answer.outcome}")
            came.append((gate, plate, answer.stay))
        self._rng.shuffle(came)
        for gate, plate, stay in came:
            left = await self._watch.time("release", gate.release(plate, stay))
            if left.outcome is not ReleaseOutcome.RELEASED or left.price is None:
                raise SystemExit(f"release at {gate.id}: {left.outcome}")

    async def _reserved(self, gate: Gate, zone: ZoneId, plate: Plate) -> Entitlement:
        now = self._clock.now()
        request = ReserveRequest(
            id=StayId(self._ids.new()),
            start=now,
            until=now + timedelta(hours=2),
            at=now,
            plate=plate.text,
            zone=zone,
        )
        answer = await self._store.reserve(gate.id, request)
        if answer.outcome is not ReserveOutcome.RESERVED:
            raise SystemExit(f"a reservation for now at {gate.id}: {answer.outcome}")
        return Entitlement(Right.RESERVATION, request.id)


async def _prices(daemon: Connection, lanes: _Lanes, watch: Stopwatch, total: int) -> None:
    clock = SystemClock()
    rng = random.Random(total)
    for _ in range(total):
        stay = rng.choice(lanes.stays)
        charge = daemon.fetchrow(
            CHARGE,
            facility_id(stay.facility),
            uuid.UUID(stay.booking),
            stay.entry_at,
            clock.now(),
        )
        await watch.time("price of a stay", charge)
