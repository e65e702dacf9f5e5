"""A small site for the database suites, made by plain SQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class Place:
    """A facility with one zone and one spot; `at` is the start of a minute, now."""

    facility: UUID
    zone: UUID
    spot: UUID
    at: datetime


async def book(connection: Connection, place: Place, **columns: object) -> asyncpg.Record:
    """Insert a booking as the web shop would; answers its row."""
    row = {"facility_id": place.facility, "entry_time": place.at, **columns}
    record = await connection.fetchrow(
        "INSERT INTO bookings (id, facility_id, entry_time, ticket_number)"
        " VALUES ($1, $2, $3, coalesce($4, gate.ticket_number_v1()))"
        " RETURNING id, entry_time, ticket_number",
        row.get("id", uuid4()),
        row["facility_id"],
        row["entry_time"],
        row.get("ticket_number"),
    )
    assert record is not None
    return record


async def partitions(connection: Connection, table: str) -> dict[str, str]:
    """Name of each partition → its bounds."""
    rows = await connection.fetch(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bounds FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass"
        " ORDER BY c.relname",
        table,
    )
    return {row["relname"]: row["bounds"] for row in rows}
