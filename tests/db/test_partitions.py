"""Monthly partitions: which there are, and that making more disturbs nobody."""

import asyncio
from datetime import UTC, date, datetime

import asyncpg
import pytest

from tests.db.place import Connection, Place, book, partitions
from tests.services.databases import Database

PARTITIONED = {
    "public.bookings": "entry_time",
    "public.audit_logs": "timestamp",
    "gate.events": "received_at",
    "gate.decisions": "decided_at",
}


def months(first: date, count: int) -> list[str]:
    return [
        f"{first.year + (first.month - 1 + index) // 12}_{(first.month - 1 + index) % 12 + 1:02}"
        for index in range(count)
    ]


@pytest.mark.every_postgres
async def test_the_months_around_now_are_there(owner: Connection) -> None:
    today = await owner.fetchval("SELECT (now() AT TIME ZONE 'UTC')::date")
    before = date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
    for table, column in PARTITIONED.items():
        name = table.partition(".")[2]
        count = 26 if name == "bookings" else 5
        wanted = [f"{name}_{month}" for month in months(before, count)]
        assert list(await partitions(owner, table)) == wanted
        key = await owner.fetchval("SELECT pg_get_partkeydef($1::text::regclass)", table)
        assert key.replace('"', "") == f"RANGE ({column})"


@pytest.mark.direct("sets its session's time zone")
@pytest.mark.every_postgres
async def test_partitions_are_utc_months_whatever_the_session_says(owner: Connection) -> None:
    await owner.execute("SET timezone = 'Pacific/Auckland'")
    ensure = "SELECT gate.ensure_partitions_v1($1, $2)"
    assert await owner.fetchval(ensure, date(2040, 1, 31), 6) == 8 + 3 * 5
    assert await owner.fetchval(ensure, date(2040, 1, 1), 6) == 0
    await owner.execute("SET timezone = 'UTC'")
    found = await partitions(owner, "public.bookings")
    assert found["bookings_2040_07"] == (
        "FOR VALUES FROM ('2040-07-01 00:00:00+00') TO ('2040-08-01 00:00:00+00')"
    )
    assert "bookings_2039_12" in found
    assert "bookings_2040_08" not in found


@pytest.mark.every_postgres
async def test_a_new_partition_is_like_its_siblings(owner: Connection, place: Place) -> None:
    await owner.fetchval("SELECT gate.ensure_partitions_v1('2040-01-01', 0)")
    rows = await owner.fetch(
        "SELECT c.oid::regclass::text AS name, c.relowner,"
        " (SELECT count(*) FROM pg_index WHERE indrelid = c.oid) AS indexes,"
        " (SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid) AS constraints,"
        " (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid) AS triggers"
        " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'bookings'::regclass"
    )
    assert len({tuple(row)[1:] for row in rows}) == 1
    await book(owner, place, entry_time=datetime(2040, 1, 31, 23, 59, tzinfo=UTC))
    assert await owner.fetchval("SELECT count(*) FROM bookings_2040_01") == 1


async def test_many_places_may_make_the_partitions_at_once(
    database: Database, daemon: Connection
) -> None:
    pool = await asyncpg.create_pool(database.dsn_as("gated_daemon"), min_size=4, max_size=4)
    try:
        made = await asyncio.gather(
            *(pool.fetchval("SELECT gate.ensure_partitions_v1('2040-06-01', 1)") for _ in range(4))
        )
    finally:
        await pool.close()
    assert sorted(made) == [0, 0, 0, 4 * 3]


@pytest.mark.every_postgres
async def test_partitions_are_made_beside_open_transactions(
    owner: Connection, daemon: Connection, place: Place
) -> None:
    """Long work on bookings and records does not keep the next month from being made."""
    async with owner.transaction():
        await owner.fetch("SELECT * FROM bookings, audit_logs, gate.events, gate.decisions")
        await book(owner, place)
        await owner.execute("INSERT INTO audit_logs (action, resource_type) VALUES ('a', 'b')")
        assert await daemon.fetchval("SELECT gate.ensure_partitions_v1('2040-06-01', 0)") == 8


@pytest.mark.parametrize("arguments", ["NULL, 1", "'2040-01-01', NULL", "'2040-01-01', 121"])
async def test_nonsense_makes_no_partitions(daemon: Connection, arguments: str) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await daemon.fetchval(f"SELECT gate.ensure_partitions_v1({arguments})")
