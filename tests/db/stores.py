"""The stores that the suite runs on: in memory, on PostgreSQL (both servers), behind pgBouncer.

One database per server serves all of these tests: each makes a facility of its own in it.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.ids import StayId
from gated.core.plates import Plate, normalise
from gated.core.site import Admits, LanePolicy
from gated.db.bookings import ReserveOutcome, ReserveRequest
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.ports import Store
from tests.db.site import NOW, Gate, Site, Tariff, make_site, write_site
from tests.fakes.operations import FakeOperator
from tests.fakes.store import FakeSubscription, FakeTariff, FakeVehicle, MemoryStore
from tests.services.databases import Database, Databases
from tests.services.pgbouncer import pgbouncer_server
from tests.services.postgres import PostgresServer

KINDS = ("memory", "embedded", "pgbouncer", "system")
HOLDER = "test-1"


@dataclass(frozen=True, slots=True)
class Address:
    """How to get at a store's database: as the daemon, through what is tested; as its owner."""

    dsn: str
    owner_dsn: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A store and the means to furnish it. `address` is None for the one in memory."""

    store: Store
    address: Address | None

    @property
    def owner_dsn(self) -> str:
        assert self.address is not None, "the store in memory has no owner"
        return self.address.owner_dsn

    @property
    def postgres(self) -> PostgresStore:
        """The store, with what no actor asks for: reservations, payments, violations."""
        assert isinstance(self.store, PostgresStore)
        return self.store

    @property
    def memory(self) -> MemoryStore:
        assert isinstance(self.store, MemoryStore)
        return self.store

    async def owner_value(self, statement: str, *args: object) -> Any:
        """Run a statement as the database's owner; the first column of its first row."""
        connection = await asyncpg.connect(self.owner_dsn)
        try:
            return await connection.fetchval(statement, *args)
        finally:
            await connection.close()

    async def gate(self, site: Site | None = None) -> Gate:
        """Put a site in and hold its lease."""
        site = site or make_site()
        if self.address is None:
            assert isinstance(self.store, MemoryStore)
            self.store.add_facility(site.setup, site.spots, [_fake(one) for one in site.tariffs])
        else:
            await write_site(self.address.owner_dsn, site)
        lease = await self.store.acquire_lease(site.id, HOLDER, 3600)
        assert lease is not None
        return Gate(self.store, site, lease[0])

    async def register(
        self,
        plate: str,
        *,
        blocked: bool = False,
        user: UUID | None = None,
        kind: str = "CAR",
        electric: bool = False,
        permit: bool = False,
    ) -> FakeVehicle:
        """A vehicle that the platform knows. The store in memory does not look at its kind."""
        if self.address is None:
            normal = normalise(plate)
            assert normal is not None
            vehicle = FakeVehicle(normal, user=user, blocked=blocked)
            self.memory.vehicles.append(vehicle)
            return vehicle
        registered = await self.owner_value(
            "INSERT INTO vehicles (plate_number, is_blocked, user_id, vehicle_type, is_electric,"
            " has_accessible_permit) VALUES ($1, $2, $3, $4::text::vehicle_type, $5, $6)"
            " RETURNING id",
            plate,
            blocked,
            user,
            kind,
            electric,
            permit,
        )
        return FakeVehicle(Plate(plate), registered, user=user, blocked=blocked)

    async def user(self) -> UUID:
        """Somebody with an account."""
        user = uuid4()
        if self.address is not None:
            await self.owner_value(
                "INSERT INTO users (id, email) VALUES ($1, $2)", user, f"{user.hex}@example.com"
            )
        return user

    async def subscribe(
        self,
        gate: Gate,
        user: UUID,
        entries: int | None,
        *,
        since: datetime = NOW - timedelta(days=1),
        until: datetime = NOW + timedelta(days=1),
    ) -> UUID:
        """A subscription of the user at the gate's facility; `entries` None: any number."""
        if self.address is None:
            subscription = FakeSubscription(user, entries, until, since)
            self.memory.facilities[gate.site.id].subscriptions.append(subscription)
            return subscription.id
        made: UUID = await self.owner_value(
            "WITH offer AS ("
            "  INSERT INTO subscriptions (facility_id, name, price, duration_days, entry_count)"
            "  VALUES ($1, 'Commuter', 50, 2, CASE WHEN $3::integer >= 0 THEN greatest($3, 1) END)"
            "  RETURNING id)"
            " INSERT INTO user_subscriptions"
            "  (user_id, subscription_id, activated_at, expires_at, entries_remaining)"
            " SELECT $2, offer.id, $4, $5, $3 FROM offer RETURNING id",
            gate.site.id,
            user,
            entries,
            since,
            until,
        )
        return made

    async def entries_left(self, gate: Gate, subscription: UUID) -> int | None:
        if self.address is None:
            there = self.memory.facilities[gate.site.id]
            return next(one.entries for one in there.subscriptions if one.id == subscription)
        left: int | None = await self.owner_value(
            "SELECT entries_remaining FROM user_subscriptions WHERE id = $1", subscription
        )
        return left

    async def employ(
        self, gate: Gate, user: UUID, *permissions: str, operator: str | None = None
    ) -> None:
        """Make the user a member of the facility's staff, and one who operates by that name."""
        if self.address is None:
            there = self.memory.facilities[gate.site.id]
            if "park" in permissions:
                there.staff.add(user)
            if operator is not None:
                there.operations.operators[operator] = FakeOperator(frozenset(permissions), user)
            return
        await self.owner_value(
            "INSERT INTO facility_staff (facility_id, staff_member, permissions, operator_name)"
            " VALUES ($1, $2, $3, $4)",
            gate.site.id,
            user,
            list(permissions),
            operator,
        )

    async def ask_for_rights(self, gate: Gate) -> None:
        """From now on the first entry admits holders of a right alone."""
        if self.address is not None:
            await self.owner_value(
                """UPDATE gate.lanes SET policy = '{"admits": "entitled"}' WHERE id = $1""",
                gate.site.entry,
            )
            return
        there = self.memory.facilities[gate.site.id]
        entry, *others = there.setup.lanes
        entry = replace(entry, policy=LanePolicy(admits=Admits.ENTITLED))
        there.setup = replace(there.setup, lanes=(entry, *others))

    async def reserve(
        self,
        gate: Gate,
        plate: str,
        start: datetime = NOW,
        until: datetime = NOW + timedelta(hours=2),
    ) -> StayId:
        """A reservation of the plate in the gate's first zone."""
        if self.address is None:
            normal = normalise(plate)
            assert normal is not None
            there = self.memory
            return there.reserve(gate.site.id, normal, gate.site.zone, start, until).id
        request = ReserveRequest(
            StayId(uuid4()), start, until, at=min(start, NOW), plate=plate, zone=gate.site.zone
        )
        answer = await self.postgres.reserve(gate.site.id, request)
        assert answer.outcome is ReserveOutcome.RESERVED
        return request.id


def _fake(tariff: Tariff) -> FakeTariff:
    return FakeTariff(
        amount=Decimal(tariff.config["steps"][0]["price"]),
        block_minutes=tariff.config["steps"][0]["minutes"],
        free_minutes=tariff.free_minutes,
        valid_from=tariff.valid_from,
        id=tariff.id,
    )


def both_fit(memory: MemoryStore, postgres: PostgresStore) -> tuple[Store, Store]:
    """For the type checker: both are stores."""
    return memory, postgres


@pytest.fixture(scope="session")
def store_addresses(
    request: pytest.FixtureRequest,
    services_directory: Path,
    databases_of: Callable[[PostgresServer], Databases],
) -> Iterator[Callable[[str], Address]]:
    """The shared database of each kind, made when a test first asks for it."""
    made: dict[str, Address] = {}
    with ExitStack() as stack:

        def address(kind: str) -> Address:
            if kind in made:
                return made[kind]
            name = "system" if kind == "system" else "embedded"
            server = request.getfixturevalue(f"postgres_{name}")
            assert isinstance(server, PostgresServer)
            database = databases_of(server).clone()
            dsn = database.dsn_as("gated_daemon")
            if kind == "pgbouncer":
                directory = services_directory / "bouncer-stores"
                bouncer = stack.enter_context(pgbouncer_server(server, directory))
                dsn = bouncer.dsn(database.name, "gated_daemon")
            made[kind] = Address(dsn, database.dsn)
            return made[kind]

        yield address


@pytest.fixture(params=KINDS)
async def bench(
    request: pytest.FixtureRequest, store_addresses: Callable[[str], Address]
) -> AsyncIterator[Bench]:
    """A store of each kind."""
    if request.param == "memory":
        yield Bench(MemoryStore(), None)
        return
    address = store_addresses(request.param)
    async with open_store(DatabaseSettings(address.dsn), rng=random.Random(1)) as store:
        yield Bench(store, address)


@pytest.fixture
async def postgres_bench(store_addresses: Callable[[str], Address]) -> AsyncIterator[Bench]:
    """The store on the wheel's PostgreSQL alone, with room for many connections."""
    address = store_addresses("embedded")
    settings = DatabaseSettings(address.dsn, pool_size_max=64, command_timeout_seconds=20)
    async with open_store(settings, rng=random.Random(1)) as store:
        yield Bench(store, address)


@pytest.fixture
async def owner_of(postgres_bench: Bench) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the database of `postgres_bench`."""
    connection = await asyncpg.connect(postgres_bench.owner_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def fresh_bench(database: Database) -> AsyncIterator[Bench]:
    """The store on a database of this test's own."""
    address = Address(database.dsn_as("gated_daemon"), database.dsn)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            open_store(DatabaseSettings(address.dsn), rng=random.Random(1))
        )
        yield Bench(store, address)
