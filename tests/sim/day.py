"""One simulated day, from an empty database to the auditor's word on it."""

import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from gated.db.site import apply
from gated.db.store import PostgresStore
from gated.devices.families import CODECS
from gated.site_rules import load_site
from tests.sim.auditor import Auditor
from tests.sim.drivers import Traffic
from tests.sim.garage import Garage, running
from tests.sim.ledger import Ledger
from tests.sim.operator import Operator
from tests.sim.place import OPERATOR, site_file, size_for
from tests.sim.plans import DAY_SECONDS, Plan, Rates, Who, plans
from tests.sim.virtual import VirtualClock, VirtualLoop, awaited_database, virtual_loop

LOOKS = 12
WATCH_SECONDS = 600
KEEP_SECONDS = 300
# Everything that waits for a timer is over by then.
REST_SECONDS = 1200


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be simulated, and in which empty database: as its owner, and as the daemon."""

    vehicles: int
    seed: int
    owner_dsn: str
    daemon_dsn: str
    connections: int = 3
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is over.

    `curve`: how many were inside, and when. `seconds`: how long it took; `calls`: what the daemon
    asked the database meanwhile.
    """

    wish: Wish
    traffic: Traffic
    auditor: Auditor
    curve: Sequence[tuple[datetime, int]]
    seconds: float
    calls: int


Progress = Callable[[Traffic, datetime], None]


def simulate(wish: Wish, on_progress: Progress | None = None) -> Day:
    """Live through the day; `on_progress` hears of it now and then."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, _seldom_collected():
        return runner.run(_live(wish, on_progress))


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Thousands of drivers sleep all day: to look them through for garbage again and again is
    lost time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    yield
    gc.set_threshold(*before)


async def _live(wish: Wish, on_progress: Progress | None) -> Day:
    started = time.monotonic()
    rng = random.Random(wish.seed)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    the_plans = plans(wish.vehicles, rng, wish.rates)
    with virtual_loop().awaited():
        owner = await asyncpg.connect(wish.owner_dsn)
        await _furnish(owner, wish, the_plans, midnight)
    clock, ledger = VirtualClock(virtual_loop(), midnight), Ledger()
    async with (
        awaited_database(wish.daemon_dsn, rng, connections=wish.connections) as database,
        running(PostgresStore(database), clock, rng, ledger) as garage,
    ):
        auditor = Auditor(owner, garage.id, ledger)
        traffic = Traffic(garage, Operator(garage, owner), ledger)
        looking = asyncio.create_task(_look(auditor, clock, random.Random(f"{wish.seed}/looks")))
        curve: list[tuple[datetime, int]] = []
        watching = asyncio.create_task(_watch(traffic, clock, curve, on_progress))
        keeping = asyncio.create_task(_keep_reservations(garage))
        await traffic.run(the_plans)
        await asyncio.sleep(REST_SECONDS)
        looking.cancel()
        watching.cancel()
        keeping.cancel()
        with virtual_loop().awaited():
            await auditor.close(clock.now())
            await owner.close()
    return Day(wish, traffic, auditor, curve, time.monotonic() - started, database.calls)


async def _look(auditor: Auditor, clock: VirtualClock, rng: random.Random) -> None:
    """At random instants at which nothing else happens: all that was begun before is done."""
    for second in sorted(rng.sample(range(DAY_SECONDS // 12, DAY_SECONDS), LOOKS)):
        await asyncio.sleep(second + 0.123 - virtual_loop().time())
        with virtual_loop().awaited():
            await auditor.look(clock.now())


async def _watch(
    traffic: Traffic,
    clock: VirtualClock,
    curve: list[tuple[datetime, int]],
    on_progress: Progress | None,
) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        curve.append((clock.now(), len(traffic.ledger.inside())))
        if on_progress is not None:
            on_progress(traffic, clock.now())


async def _keep_reservations(garage: Garage) -> None:
    """As the daemon's housekeeping does: spots are held for who may come, and not for ever."""
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        await garage.store.keep_reservations(garage.id, garage.clock.now())


async def _furnish(
    owner: asyncpg.Connection, wish: Wish, the_plans: list[Plan], midnight: datetime
) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(site_file(size_for(wish.vehicles)))
        file.flush()
        await apply(owner, load_site(Path(file.name), CODECS))
    async with owner.transaction():
        # As if the tariff had been there before the day began: afterwards nobody may say so.
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE pricing_rules SET valid_from = $1::timestamptz - interval '1 day'", midnight
        )
    facility = await owner.fetchval("SELECT id FROM facilities")
    known = [plan for plan in the_plans if plan.who not in (Who.STRANGER, Who.BOOKED)]
    users = [plan for plan in known if plan.who is not Who.BLOCKED]
    await owner.executemany(
        "INSERT INTO users (id, email) VALUES (md5($1)::uuid, $1 || '@example.com')",
        [(plan.plate,) for plan in users],
    )
    await owner.executemany(
        "INSERT INTO vehicles (plate_number, is_blocked, user_id) VALUES ($1, $2, md5($3)::uuid)",
        [
            (plan.plate, plan.who is Who.BLOCKED, None if plan.who is Who.BLOCKED else plan.plate)
            for plan in known
        ],
    )
    offer = await owner.fetchval(
        "INSERT INTO subscriptions (facility_id, name, price, duration_days)"
        " VALUES ($1, 'Commuter', 50, 30) RETURNING id",
        facility,
    )
    await owner.executemany(
        "INSERT INTO user_subscriptions (user_id, subscription_id, activated_at, expires_at)"
        " VALUES (md5($1)::uuid, $2, $3::timestamptz - interval '1 day',"
        " $3::timestamptz + interval '3 days')",
        [(plan.plate, offer, midnight) for plan in known if plan.who is Who.SUBSCRIBER],
    )
    await owner.executemany(
        "INSERT INTO facility_staff (facility_id, staff_member, permissions)"
        " VALUES ($1, md5($2)::uuid, '{park}')",
        [(facility, plan.plate) for plan in known if plan.who is Who.STAFF],
    )
    await owner.execute(
        "WITH duty AS (INSERT INTO users (email) VALUES ('duty@example.com') RETURNING id)"
        " INSERT INTO facility_staff (facility_id, staff_member, permissions, operator_name)"
        " SELECT $1, duty.id, '{match,close_stay}', $2 FROM duty",
        facility,
        OPERATOR,
    )
    # The others stay unanalysed while they are empty: that they are would be no news, but a lie.
    await owner.execute(
        "ANALYZE users, vehicles, user_subscriptions, facility_staff, parking_spots, zones"
    )
