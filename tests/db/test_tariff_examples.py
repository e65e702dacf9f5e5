"""Every stay that examples/tariffs prices by hand costs exactly that in PostgreSQL.

One query for each table: it prices the stays as the tariff desk would, errors as values.
"""

import json
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.tariff.file import TariffFile, load_tariffs
from gated.tariff.row import rows
from tests.db.stores import Address
from tests.tariff.examples import TARIFFS, PricedStay, priced_stays

PRICES = """
    SELECT price.amount, price.currency, price.lines, price.error, price.reason
    FROM unnest($2::timestamptz[], $3::timestamptz[], $4::text[])
        WITH ORDINALITY AS stay (entry, exit, context, n)
    LEFT JOIN LATERAL
        gate.try_price_v1($1, stay.entry, stay.exit, stay.context::jsonb) price ON true
    ORDER BY stay.n
"""


@pytest.fixture(params=["embedded"])
async def session(
    request: pytest.FixtureRequest, store_addresses: Callable[[str], Address]
) -> AsyncIterator[asyncpg.Connection]:
    """A transaction of the owner that is undone."""
    connection = await asyncpg.connect(store_addresses(request.param).owner_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def facility_of(session: asyncpg.Connection, file: TariffFile) -> UUID:
    """A facility with this calendar and these tariffs, which have always been in force."""
    facility = uuid4()
    await session.execute(
        "INSERT INTO public.facilities (id, name, city) VALUES ($1, 'F', 'C')", facility
    )
    await session.execute(
        "INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency)"
        " VALUES ($1, $2, $3, $4)",
        facility,
        f"f-{facility}",
        file.facility.time_zone,
        file.facility.currency,
    )
    await session.executemany(
        "INSERT INTO gate.calendar_days (facility_id, day, kind, name) VALUES ($1, $2, $3, $4)",
        [(facility, each.day, each.kind, each.name) for each in file.calendar],
    )
    await session.executemany(
        "INSERT INTO public.pricing_rules (facility_id, name, strategy, config, priority,"
        " free_minutes, valid_from) VALUES ($1, $2, $3::text::public.pricing_strategy, $4, $5, $6,"
        " '2000-01-01Z')",
        [
            (
                facility,
                row.name,
                row.strategy,
                json.dumps(row.config),
                row.priority,
                row.free_minutes,
            )
            for row in rows(file)
        ],
    )
    return facility


@pytest.mark.parametrize("tariff", TARIFFS, ids=[each.stem for each in TARIFFS])
async def test_stays_cost_what_was_reckoned_by_hand(
    session: asyncpg.Connection, tariff: Path
) -> None:
    file, stays = load_tariffs(tariff), priced_stays(tariff)
    facility = await facility_of(session, file)
    priced = await session.fetch(
        PRICES,
        facility,
        [stay.entry for stay in stays],
        [stay.exit for stay in stays],
        [json.dumps(stay.context) for stay in stays],
    )
    wrong = [
        complaint
        for stay, price in zip(stays, priced, strict=True)
        if (complaint := _complaint(stay, price, file.facility.currency))
    ]
    assert not wrong, "\n\n".join(["", *wrong])


def _complaint(stay: PricedStay, price: asyncpg.Record, currency: str) -> str:
    """What is wrong with the price, with all that is needed to see why; empty if nothing is."""
    lines: list[dict[str, Any]] = json.loads(price["lines"] or "[]")
    if price["error"] is not None:
        found = f"no price: {price['error']} {price['reason']}"
    elif (str(price["amount"]), price["currency"]) != (stay.amount, currency):
        found = f"got {price['amount']} {price['currency']}"
    elif sum((Decimal(line["amount"]) for line in lines), Decimal()) != price["amount"]:
        found = "the lines do not sum to it"
    else:
        return ""
    told = [
        f"{stay.place}: {stay.entry.isoformat()} to {stay.exit.isoformat()} {dict(stay.context)}",
        f"  expected {stay.amount} {currency}: {stay.why}",
        f"  {found}",
        *(f"    {json.dumps(line)}" for line in lines),
    ]
    return "\n".join(told)
