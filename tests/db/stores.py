"""The stores that the suite runs on: in memory, on PostgreSQL (both servers), behind pgBouncer.

One database per server serves all of these tests: each makes a facility of its own in it.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from gated.core.plates import Plate, normalise
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.ports import Store
from tests.db.site import Gate, Site, Tariff, make_site, write_site
from tests.fakes.store import FakeTariff, FakeVehicle, MemoryStore
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

    async def register(self, plate: str, *, blocked: bool = False) -> FakeVehicle:
        """A vehicle that the platform knows; without an owner."""
        if self.address is None:
            assert isinstance(self.store, MemoryStore)
            normal = normalise(plate)
            assert normal is not None
            vehicle = FakeVehicle(normal, blocked=blocked)
            self.store.vehicles.append(vehicle)
            return vehicle
        connection = await asyncpg.connect(self.address.owner_dsn)
        try:
            row = await connection.fetchrow(
                "INSERT INTO vehicles (plate_number, is_blocked) VALUES ($1, $2) RETURNING id",
                plate,
                blocked,
            )
        finally:
            await connection.close()
        assert row is not None
        return FakeVehicle(Plate(plate), row["id"], blocked=blocked)


def _fake(tariff: Tariff) -> FakeTariff:
    return FakeTariff(
        amount=Decimal(str(tariff.config["block_price"])),
        block_minutes=int(str(tariff.config["block_minutes"])),
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
    databases_by_server: dict[str, Databases],
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
            database = databases_by_server.setdefault(server.name, Databases(server)).clone()
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
