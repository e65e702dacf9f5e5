"""What the tariff desk asks the database: prices of many stays at once, stays that were, receipts.

Prices come from `gate.try_price_v1`, which is `gate.price_stay_v1` with its error as a value.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from gated.core.errors import ConfigError
from gated.core.ids import FacilityId
from gated.db.connect import Connection
from gated.db.errors import FAILURES, translated
from gated.db.sql import sql
from gated.db.values import json_value, storable

# One line of a price as the engine writes it: "kind", "name", "amount", and what belongs to it.
Line: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay [entry, exit), as instants, and what the price is asked with (docs/tariffs.md)."""

    entry: datetime
    exit: datetime
    context: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Priced:
    """What a stay costs, under which rules, and line by line why."""

    amount: Decimal
    currency: str
    rule_ids: tuple[UUID, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a stay has no price: the engine's error by its code, such as GT014, and in words."""

    error: str
    reason: str


Answer: TypeAlias = Priced | Refused


@dataclass(frozen=True, slots=True)
class Booked:
    """A stay in the database with the price that was frozen on it: None while it has none."""

    id: UUID
    facility: FacilityId
    facility_name: str
    time_zone: str
    currency: str
    ticket: str
    status: str
    plate: str | None
    entry: datetime
    exit: datetime | None
    amount: Decimal | None
    lines: tuple[Line, ...]
    paid: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """What a stay costs if it ends now, and what is due of it."""

    amount: Decimal
    currency: str
    lines: tuple[Line, ...]
    paid: Decimal
    due: Decimal


async def add_facility(
    connection: Connection,
    *,
    slug: str,
    name: str,
    time_zone: str,
    currency: str,
    vehicle_type_default: str,
    days: Sequence[tuple[date, str, str]],
) -> FacilityId:
    """A facility with a calendar and nothing else. The caller's transaction is to be undone."""
    row = await _row(
        connection, "tariff_add_facility", slug, name, time_zone, currency, vehicle_type_default
    )
    facility = FacilityId(row["facility_id"])
    await _execute(
        connection,
        "tariff_add_days",
        facility,
        [day for day, _, _ in days],
        [kind for _, kind, _ in days],
        [name for _, _, name in days],
    )
    return facility


async def add_rule(
    connection: Connection,
    facility: FacilityId,
    *,
    name: str,
    strategy: str,
    config: Mapping[str, Any],
    priority: int,
    free_minutes: int,
    valid_from: datetime,
) -> UUID:
    """A tariff of the facility; answers the id of the rule."""
    row = await _row(
        connection,
        "tariff_add_rule",
        facility,
        name,
        strategy,
        json.dumps(config),
        priority,
        free_minutes,
        valid_from,
    )
    rule: UUID = row["id"]
    return rule


async def price(
    connection: Connection, facility: FacilityId, stays: Sequence[Stay]
) -> list[Answer]:
    """An answer for each stay, in their order, by one query."""
    rows = await _rows(
        connection,
        "tariff_price",
        facility,
        [stay.entry for stay in stays],
        [stay.exit for stay in stays],
        [json.dumps(dict(stay.context)) for stay in stays],
    )
    return [_answer(row) for row in rows]


async def stays(
    connection: Connection, facility: str, since: datetime, until: datetime
) -> list[Stay]:
    """The stays that began in [since, until) and have ended, as they would be priced again.

    Raises ConfigError for an unknown facility.
    """
    found = await _row_or_none(connection, "site_facility", storable(facility))
    if found is None:
        raise ConfigError(f'--facility: there is no facility "{facility}"')
    rows = await _rows(connection, "tariff_stays", found["id"], since, until)
    return [Stay(row["entry"], row["exit"], json_value(row["context"])) for row in rows]


async def booked(connection: Connection, name: str) -> Booked | None:
    """The stay with this ticket number or id; None if there is none."""
    row = await _row_or_none(connection, "tariff_booking", storable(name))
    if row is None:
        return None
    return Booked(
        id=row["id"],
        facility=FacilityId(row["facility_id"]),
        facility_name=row["facility"],
        time_zone=row["time_zone"],
        currency=row["currency"],
        ticket=row["ticket_number"],
        status=row["status"],
        plate=row["plate_number"],
        entry=row["entry_time"],
        exit=row["actual_exit"],
        amount=row["amount"],
        lines=_lines(row["lines"]),
        paid=row["paid"],
    )


async def charge(connection: Connection, stay: Booked, at: datetime) -> Charge:
    """What the stay costs if it ends at this time. Raises StoreError where it has no price."""
    row = await _row(connection, "tariff_charge", stay.facility, stay.id, stay.entry, at)
    return Charge(row["amount"], row["currency"], _lines(row["lines"]), row["paid"], row["due"])


def _answer(row: asyncpg.Record) -> Answer:
    if row["error"] is not None:
        return Refused(row["error"], row["reason"])
    return Priced(row["amount"], row["currency"], tuple(row["rule_ids"]), _lines(row["lines"]))


def _lines(text: str | None) -> tuple[Line, ...]:
    return () if text is None else tuple(json_value(text))


async def _row(connection: Connection, name: str, *arguments: object) -> asyncpg.Record:
    row = await _row_or_none(connection, name, *arguments)
    assert row is not None, f"{name} promises a row"
    return row


async def _row_or_none(
    connection: Connection, name: str, *arguments: object
) -> asyncpg.Record | None:
    async with _translated(name):
        return await connection.fetchrow(sql(name), *arguments)


async def _rows(connection: Connection, name: str, *arguments: object) -> Sequence[asyncpg.Record]:
    async with _translated(name):
        return await connection.fetch(sql(name), *arguments)


async def _execute(connection: Connection, name: str, *arguments: object) -> None:
    async with _translated(name):
        await connection.execute(sql(name), *arguments)


@asynccontextmanager
async def _translated(name: str) -> AsyncIterator[None]:
    """The database's errors in gated's words."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigError(f"{error}: the owner of the database may (--dsn names it)") from error
    except FAILURES as error:
        raise translated(error, name) from error
