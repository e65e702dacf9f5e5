"""Fixtures of the database suites: connections by role, and a small place."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.db.desk import desk, small  # noqa: F401
from tests.db.place import Connection, Place
from tests.db.scene import alone, scene  # noqa: F401
from tests.db.stores import (  # noqa: F401  fixtures are found by their names here
    bench,
    fresh_bench,
    owner_of,
    postgres_bench,
    store_addresses,
)
from tests.services.databases import Database


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    """A connection with all rights on this test's database."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def daemon(database: Database) -> AsyncIterator[Connection]:
    """A connection as the daemon's role."""
    connection = await asyncpg.connect(database.dsn_as("gated_daemon"))
    yield connection
    await connection.close()


@pytest.fixture
async def place(owner: Connection) -> Place:
    facility = await owner.fetchval(
        "INSERT INTO facilities (name, city) VALUES ('North', 'Oslo') RETURNING id"
    )
    zone = await owner.fetchval(
        "INSERT INTO zones (facility_id, name, code) VALUES ($1, 'A', 'A') RETURNING id", facility
    )
    spot = await owner.fetchval(
        "INSERT INTO parking_spots (zone_id, spot_number) VALUES ($1, '1') RETURNING id", zone
    )
    return Place(facility, zone, spot, await owner.fetchval("SELECT date_trunc('minute', now())"))
