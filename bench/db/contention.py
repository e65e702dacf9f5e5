"""64 connections that fight for the last spots of one facility, and what they leave behind.

The clients run in processes of their own, so that none of them is a queue before the queue; how
much of a core each of them takes is part of the answer. The bare round trips and commits are made
by the same processes with as many connections.
"""

import asyncio
import os
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from multiprocessing import get_context
from statistics import median, quantiles
from time import monotonic, perf_counter
from typing import TypeVar

import asyncpg
import uvloop
from rich.console import Console

from bench.db.gate import Gate, facility_id, open_gate, zone_id
from bench.db.operations import make_floor_table
from bench.db.server import Server
from bench.db.shape import Platform
from gated.app import SystemClock, SystemIds
from gated.core.errors import GatedError
from gated.core.ids import Fence, StayId, ZoneId
from gated.core.plates import Plate
from gated.db.bookings import CancelOutcome, ReserveOutcome, ReserveRequest
from gated.db.connect import Connection
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.records import ReleaseOutcome

Answer = TypeVar("Answer")

CLIENTS = 64
PROCESSES = 2
FREE_SPOTS = 20
ZONES_CONTESTED = 2
FLOOR_SECONDS = 8.0
CONNECT_SECONDS = 8.0
# A connection plans each statement anew some five times, at some 50 ms in all: not counted.
WARM_UP_SECONDS = 20.0
GIVE_BACK_ATTEMPTS_MAX = 5
EVENTS_AT_A_TIME = 20
# For an entry and all attempts at an exit.
EVENTS_MIN = 1 + GIVE_BACK_ATTEMPTS_MAX
FILLER, FIGHTER = "FILLER", "FIGHT"

# Takes all but $2 plain spots of the first $3 zones, so that these are the last.
FILL = """
WITH free AS (
    SELECT s.id, z.code, s.size >= 'COMPACT' AND NOT s.has_ev_charger AND NOT s.is_accessible
        AND NOT EXISTS (
            SELECT FROM gate.claims c
            WHERE c.spot_id = s.id AND c.during && tstzrange(now(), now() + interval '1 day')
        ) AS plain
    FROM public.zones z JOIN public.parking_spots s ON s.zone_id = z.id
    WHERE z.facility_id = $1 AND s.is_active AND s.status = 'AVAILABLE'
), kept AS (
    SELECT id FROM (
        SELECT f.id, row_number() OVER (PARTITION BY f.code ORDER BY f.id) AS place,
            dense_rank() OVER (ORDER BY f.code) AS zone
        FROM free f WHERE f.plain
    ) ranked WHERE zone <= $3::integer AND place <= $2::integer / $3::integer
)
INSERT INTO public.bookings (
    facility_id, spot_id, status, entry_time, expected_exit, plate_number, entry_known
)
SELECT $1, free.id, 'ACTIVE', now(), now() + interval '4 hours', $4 || free.id, 'assumed'
FROM free WHERE free.id NOT IN (SELECT id FROM kept)
"""
# Two steps, since no booking may go whose vehicle is inside.
CANCEL = """
UPDATE public.bookings SET status = 'CANCELLED'
WHERE facility_id = $1 AND entry_time > now() - interval '1 day' AND plate_number LIKE $2 || '%'
    AND status IN ('CONFIRMED', 'ACTIVE')
"""
DELETE = """
DELETE FROM public.bookings
WHERE facility_id = $1 AND entry_time > now() - interval '1 day' AND plate_number LIKE $2 || '%'
"""
FREE = """
SELECT count(*) FROM public.zones z JOIN public.parking_spots s ON s.zone_id = z.id
WHERE z.facility_id = $1 AND s.is_active AND s.status = 'AVAILABLE'
"""
DOUBLE = """
SELECT
    (SELECT count(*) FROM gate.claims a JOIN gate.claims b
        ON a.spot_id = b.spot_id AND a.booking_id < b.booking_id AND a.during && b.during
     WHERE a.facility_id = $1)
    + (SELECT count(*) FROM (
        SELECT FROM gate.claims WHERE facility_id = $1 AND kind = 'stay'
        GROUP BY spot_id HAVING count(*) > 1) AS twice)
    + (SELECT count(*) FROM public.zones z JOIN public.parking_spots s ON s.zone_id = z.id
        LEFT JOIN gate.claims c ON c.spot_id = s.id AND c.kind = 'stay'
     WHERE z.facility_id = $1 AND s.status <> 'MAINTENANCE'
        AND (s.status = 'OCCUPIED') <> (c.booking_id IS NOT NULL))
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
COUNTING = "gate.count_changes_v1(uuid)"


class Task(StrEnum):
    """What the clients do."""

    ROUND_TRIP = "round trip"
    COMMIT = "commit"
    FIGHT = "fight"


@dataclass(frozen=True, slots=True)
class Order:
    """What one client process is told. `begins_at` is of the clock that all processes share."""

    task: Task
    dsn: str
    clients: int
    seed: int
    begins_at: float
    seconds: float
    facility: int
    fence: int


@dataclass(slots=True)
class Tally:
    """What one client process did. Seconds by operation; `cores` is its own share of a core."""

    commits: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cores: float = 0.0


@dataclass(frozen=True, slots=True)
class Floors:
    """What the same clients do bare."""

    clients: int
    processes: int
    round_trips_per_second: float
    commits_per_second: float
    client_cores_select: float
    client_cores_insert: float


@dataclass(frozen=True, slots=True)
class Fight:
    """One fight. `latencies`: median and 99th percentile in milliseconds."""

    counters: str
    spots_before: int
    spots_after: int
    seconds: float
    commits: dict[str, int]
    refusals: dict[str, int]
    errors: dict[str, int]
    failures: dict[str, int]
    latencies: dict[str, tuple[float, float]]
    abandoned: int
    deadlocks: int
    double_claims: int
    contradictions: int
    client_cores: float

    @property
    def commits_per_second(self) -> float:
        return sum(self.commits.values()) / self.seconds


async def contend(
    server: Server, platform: Platform, seconds: float, seed: int, console: Console
) -> tuple[Floors, list[Fight]]:
    """The floors; the fight as the functions are; and with counters that are waited for."""
    facility = platform.facilities - 1
    context = get_context("spawn")
    async with server.owner() as owner:
        async with open_store(DatabaseSettings(server.daemon_dsn, pool_size_max=1)) as store:
            fence = (await open_gate(store, facility)).fence
        await make_floor_table(owner)
        with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
            clients = _Clients(pool, server.daemon_dsn, facility, fence, seed)
            console.print(f"[dim]{CLIENTS} clients, bare …[/dim]")
            floors = await _floors(clients)
            console.print(f"[dim]{CLIENTS} clients for {FREE_SPOTS} spots …[/dim]")
            async with _full(owner, facility):
                fights = [await _fight(owner, clients, seconds, "as they are")]
                async with _waiting_counters(owner):
                    fights.append(await _fight(owner, clients, seconds, "waited for"))
    return floors, fights


@dataclass(frozen=True, slots=True)
class _Clients:
    """The client processes, told to do something at the same time."""

    pool: ProcessPoolExecutor
    dsn: str
    facility: int
    fence: Fence
    seed: int

    async def run(self, task: Task, seconds: float) -> Tally:
        begins_at = monotonic() + CONNECT_SECONDS
        loop = asyncio.get_running_loop()
        orders = [
            Order(
                task,
                self.dsn,
                CLIENTS // PROCESSES,
                self.seed * 1000 + number,
                begins_at,
                seconds,
                self.facility,
                self.fence,
            )
            for number in range(PROCESSES)
        ]
        tallies = await asyncio.gather(
            *(loop.run_in_executor(self.pool, obey, order) for order in orders)
        )
        whole = Tally()
        for tally in tallies:
            whole.commits += tally.commits
            whole.refusals += tally.refusals
            whole.errors += tally.errors
            whole.failures += tally.failures
            for name, times in tally.seconds.items():
                whole.seconds[name] += times
            whole.cores = max(whole.cores, tally.cores)
        return whole


async def _floors(clients: _Clients) -> Floors:
    trips = await clients.run(Task.ROUND_TRIP, FLOOR_SECONDS)
    commits = await clients.run(Task.COMMIT, FLOOR_SECONDS)
    return Floors(
        CLIENTS,
        PROCESSES,
        trips.commits.total() / FLOOR_SECONDS,
        commits.commits.total() / FLOOR_SECONDS,
        trips.cores,
        commits.cores,
    )


async def _fight(owner: Connection, clients: _Clients, seconds: float, counters: str) -> Fight:
    facility = facility_id(clients.facility)
    deadlocks = await owner.fetchval(DEADLOCKS)
    spots_before = await owner.fetchval(FREE, facility)
    tally = await clients.run(Task.FIGHT, seconds)
    # Sessions report what they counted when they end, at the latest.
    await asyncio.sleep(1)
    # Asked while the last claims stand.
    double_claims = await owner.fetchval(DOUBLE, facility)
    contradictions = await owner.fetchval("SELECT count(*) FROM gate.verify_v1($1)", facility)
    # Where an answer was lost, a spot may have been taken by a client that did not know it.
    abandoned = await owner.execute(CANCEL, facility, FIGHTER)
    return Fight(
        counters=counters,
        spots_before=spots_before,
        spots_after=await owner.fetchval(FREE, facility),
        seconds=seconds,
        commits=dict(tally.commits),
        refusals=dict(tally.refusals),
        errors=dict(tally.errors),
        failures=dict(tally.failures),
        latencies={
            name: (median(times) * 1000, quantiles(times, n=100)[98] * 1000)
            for name, times in tally.seconds.items()
            if len(times) > 1
        },
        abandoned=int(abandoned.split()[-1]),
        deadlocks=await owner.fetchval(DEADLOCKS) - deadlocks,
        double_claims=double_claims,
        contradictions=contradictions,
        client_cores=tally.cores,
    )


@asynccontextmanager
async def _full(owner: Connection, facility: int) -> AsyncIterator[None]:
    """The facility is full but for the spots that are fought for; afterwards as it was."""
    park = facility_id(facility)
    await owner.execute(FILL, park, FREE_SPOTS, ZONES_CONTESTED, FILLER)
    free = await owner.fetchval(FREE, park)
    if free != FREE_SPOTS:
        raise SystemExit(f"{free} spots are free, and {FREE_SPOTS} were to be fought for")
    try:
        yield
    finally:
        for plates in (FIGHTER, FILLER):
            await owner.execute(CANCEL, park, plates)
            await owner.execute(DELETE, park, plates)


@asynccontextmanager
async def _waiting_counters(owner: Connection) -> AsyncIterator[None]:
    """The other way to count, in this database alone: whoever changes a spot waits to count it."""
    as_it_is = await owner.fetchval("SELECT pg_get_functiondef($1::regprocedure)", COUNTING)
    waiting = as_it_is.replace(" SKIP LOCKED", "")
    if waiting == as_it_is:
        raise SystemExit(f"{COUNTING} skips no locked rows: there is no other way to compare with")
    await owner.execute(waiting)
    try:
        yield
    finally:
        await owner.execute(as_it_is)


# ── in a client process ─────────────────────────────────────────────────────────────────────


def obey(order: Order) -> Tally:
    """Runs in a process of its own: all clients of the order, from its beginning to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_bare(order) if order.task is not Task.FIGHT else _fighters(order))


async def _begin(order: Order) -> float:
    """Wait for the common beginning; the processor time that was used until then."""
    late = monotonic() - order.begins_at
    if late > 0:
        raise SystemExit(f"the clients needed {late:.1f} s too long to connect")
    await asyncio.sleep(-late)
    return _processor_seconds()


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system


async def _bare(order: Order) -> Tally:
    tally = Tally()
    ends_at = order.begins_at + order.seconds
    connections = [
        await asyncpg.connect(order.dsn, statement_cache_size=0) for _ in range(order.clients)
    ]

    async def trips(connection: Connection) -> None:
        while monotonic() < ends_at:
            await connection.fetchval("SELECT 1")
            tally.commits["select"] += 1

    async def commits(connection: Connection) -> None:
        while monotonic() < ends_at:
            insert = "INSERT INTO public.bench_floor VALUES ($1, $2)"
            await connection.execute(insert, uuid.uuid4(), "x" * 100)
            tally.commits["insert"] += 1

    used = await _begin(order)
    work = trips if order.task is Task.ROUND_TRIP else commits
    await asyncio.gather(*map(work, connections))
    tally.cores = (_processor_seconds() - used) / order.seconds
    for connection in connections:
        await connection.close()
    return tally


async def _fighters(order: Order) -> Tally:
    """One store with as many connections as there are fighters: nobody waits for one."""
    tally = Tally()

    def failed(kind: str) -> None:
        tally.failures[kind] += 1

    settings = DatabaseSettings(order.dsn, pool_size_max=order.clients)
    rng = random.Random(order.seed)
    async with open_store(settings, rng=rng, on_failure=failed) as store:
        fighters = [
            _Fighter(order, store, tally, random.Random(order.seed + number), number)
            for number in range(order.clients)
        ]
        await asyncio.gather(*(fighter.prepare() for fighter in fighters))
        await _begin(order)
        used, *_ = await asyncio.gather(
            _warmed_up(tally), *(fighter.fight() for fighter in fighters)
        )
        assert used is not None
        tally.cores = (_processor_seconds() - used) / order.seconds
    return tally


async def _warmed_up(tally: Tally) -> float:
    """Forget what was counted so far, but for errors; the processor time used until then."""
    await asyncio.sleep(WARM_UP_SECONDS)
    for counted in (tally.commits, tally.refusals, tally.failures, tally.seconds):
        counted.clear()
    return _processor_seconds()


class _Fighter:
    """One client: takes a spot, in one of two ways, and gives it back at once."""

    def __init__(
        self, order: Order, store: PostgresStore, tally: Tally, rng: random.Random, number: int
    ) -> None:
        self._store = store
        self._tally = tally
        self._rng = rng
        self._ends_at = order.begins_at + WARM_UP_SECONDS + order.seconds
        self._gate = Gate(store, order.facility, Fence(order.fence))
        self._plate = Plate(f"{FIGHTER}{order.seed}X{number}")
        self._clock = SystemClock()
        self._ids = SystemIds()

    async def prepare(self) -> None:
        await self._call("append", lambda: self._gate.store_events(EVENTS_AT_A_TIME))

    async def fight(self) -> None:
        while monotonic() < self._ends_at:
            if self._rng.random() < 0.5:
                await self._come_and_go()
            else:
                await self._reserve_and_cancel()
            if self._gate.events_stored < EVENTS_MIN:
                await self.prepare()

    async def _come_and_go(self) -> None:
        admitted = await self._call("admit", lambda: self._gate.admit(self._plate, self._zone()))
        if admitted is None:
            return
        stay = admitted.stay
        if stay is None:
            self._tally.refusals[admitted.outcome.value] += 1
            return
        self._tally.commits["admit"] += 1
        for _ in range(GIVE_BACK_ATTEMPTS_MAX):
            left = await self._call("release", lambda: self._gate.release(self._plate, stay))
            if left is not None and left.outcome is ReleaseOutcome.RELEASED:
                self._tally.commits["release"] += 1
                return
        raise SystemExit(f"{self._plate.text} cannot leave")

    async def _reserve_and_cancel(self) -> None:
        now = self._clock.now()
        request = ReserveRequest(
            id=StayId(self._ids.new()),
            start=now,
            until=now + timedelta(minutes=self._rng.uniform(60, 240)),
            at=now,
            plate=self._plate.text,
            zone=self._zone(),
        )
        reserved = await self._call("reserve", lambda: self._store.reserve(self._gate.id, request))
        if reserved is None:
            return
        if reserved.outcome is not ReserveOutcome.RESERVED:
            self._tally.refusals[reserved.outcome.value] += 1
            return
        self._tally.commits["reserve"] += 1
        for _ in range(GIVE_BACK_ATTEMPTS_MAX):
            outcome = await self._call(
                "cancel",
                lambda: self._store.cancel_booking(
                    self._gate.id, request.id, "bench", self._clock.now()
                ),
            )
            if outcome is CancelOutcome.CANCELLED:
                self._tally.commits["cancel"] += 1
                return
        raise SystemExit(f"the reservation of {self._plate.text} cannot be cancelled")

    def _zone(self) -> ZoneId:
        return zone_id(self._gate.facility, self._rng.randrange(ZONES_CONTESTED))

    async def _call(self, name: str, work: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """What the call answers; None for an error, which is counted by what it says first."""
        began = perf_counter()
        try:
            answer = await work()
        except GatedError as error:
            # The statement and its SQLSTATE, or what else comes first.
            self._tally.errors[": ".join(str(error).split(": ")[:2])] += 1
            return None
        self._tally.seconds[name].append(perf_counter() - began)
        if name == "append":
            self._tally.commits["append"] += 1
        return answer
