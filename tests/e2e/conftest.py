"""One car park per test: a database of its own, a broker of its own, servers shared."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.devices import Wire, wire
from tests.e2e.place import Place, in_place
from tests.services.brokers import BrokerHandle
from tests.services.databases import Database
from tests.services.postgres import PostgresServer


@pytest.fixture
async def place(
    postgres: PostgresServer, database: Database, broker: BrokerHandle, tmp_path: Path
) -> AsyncIterator[Place]:
    async for one in in_place(Place(postgres, database, broker, tmp_path)):
        yield one


@pytest.fixture
async def devices(broker: BrokerHandle) -> AsyncIterator[Wire]:
    """The connection of the devices to the broker, for tests in which the broker stays up."""
    async with wire(broker) as connection:
        yield connection
