"""Prices of simple tariffs at each boundary, which version governs, and what has no price.

Everything runs in sessions with a foreign time zone, date style and search path: a price depends
on none of them.
"""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from gated.core.errors import StoreError
from gated.db.bookings import QuoteRequest
from tests.db.site import NOW, Tariff, by_blocks, flat, free_minutes, make_site
from tests.db.stores import Address, Bench

pytestmark = pytest.mark.direct("sets its session up in a foreign way")

ENTRY = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

FLAT = Tariff("FLAT", flat("4.00"), name="flat")
HOURLY = Tariff("BLOCK", by_blocks(), name="hourly")
DEDUCTED = replace(HOURLY, free_minutes=10, config=by_blocks(**free_minutes("deducted")))
THRESHOLD = replace(HOURLY, free_minutes=10, config=by_blocks(**free_minutes("threshold")))
FREE_FLAT = replace(FLAT, free_minutes=10, config=flat("4.00", **free_minutes("threshold")))


@pytest.fixture(params=["embedded", "system"])
async def session(
    request: pytest.FixtureRequest, store_addresses: Callable[[str], Address]
) -> AsyncIterator[asyncpg.Connection]:
    """A session that is as unlike ours as settings can make it; nothing of it is kept."""
    connection = await asyncpg.connect(store_addresses(request.param).owner_dsn)
    await connection.execute(
        "SET TIME ZONE 'Asia/Kathmandu'; SET datestyle = 'German, DMY';"
        " SET intervalstyle = 'iso_8601'; SET search_path = ''; SET extra_float_digits = 0"
    )
    yield connection
    await connection.close()


class Priced:
    """The answer of gate.price_stay_v1."""

    def __init__(self, row: asyncpg.Record) -> None:
        self.amount: Decimal = row["amount"]
        self.currency: str = row["currency"]
        self.rules: list[UUID] = row["rule_ids"]
        self.lines: list[dict[str, Any]] = json.loads(row["lines"])


async def price(
    session: asyncpg.Connection,
    tariffs: list[Tariff],
    entry: datetime,
    exit_: datetime,
    currency: str = "EUR",
) -> Priced:
    """Price one stay at a facility that exists for this question only."""
    facility = uuid4()
    transaction = session.transaction()
    await transaction.start()
    try:
        await session.execute(
            "INSERT INTO public.facilities (id, name, city) VALUES ($1, 'F', 'C')", facility
        )
        await session.execute(
            "INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency)"
            " VALUES ($1, $2, 'Europe/Berlin', $3)",
            facility,
            f"f-{facility}",
            currency,
        )
        await session.executemany(
            "INSERT INTO public.pricing_rules (id, facility_id, name, strategy, config, priority,"
            " free_minutes, valid_from, valid_until)"
            " VALUES ($1, $2, $3, $4::text::public.pricing_strategy, $5, $6, $7, $8, $9)",
            [
                (
                    tariff.id,
                    facility,
                    tariff.name,
                    tariff.strategy,
                    json.dumps(tariff.config),
                    tariff.priority,
                    tariff.free_minutes,
                    tariff.valid_from,
                    tariff.valid_until,
                )
                for tariff in tariffs
            ],
        )
        row = await session.fetchrow(
            "SELECT amount, currency, rule_ids, lines FROM gate.price_stay_v1($1, $2, $3)",
            facility,
            entry,
            exit_,
        )
    finally:
        await transaction.rollback()
    assert row is not None
    return Priced(row)


# ── worked examples ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tariff", "stayed", "amount"),
    [
        (FLAT, timedelta(0), "4.00"),
        (FLAT, timedelta(days=3), "4.00"),
        (FREE_FLAT, timedelta(0), "0.00"),
        (FREE_FLAT, 10 * MINUTE, "0.00"),
        (FREE_FLAT, 10 * MINUTE + SECOND, "4.00"),
        (HOURLY, timedelta(0), "0.00"),
        (HOURLY, timedelta(microseconds=1), "2.50"),
        (HOURLY, HOUR - SECOND, "2.50"),
        (HOURLY, HOUR, "2.50"),
        (HOURLY, HOUR + timedelta(microseconds=1), "5.00"),
        (HOURLY, HOUR + SECOND, "5.00"),
        (HOURLY, 30 * 24 * HOUR, "1800.00"),
        (DEDUCTED, timedelta(0), "0.00"),
        (DEDUCTED, 10 * MINUTE, "0.00"),
        (DEDUCTED, 10 * MINUTE + SECOND, "2.50"),
        (DEDUCTED, 70 * MINUTE, "2.50"),
        (DEDUCTED, 70 * MINUTE + SECOND, "5.00"),
        (THRESHOLD, 10 * MINUTE - SECOND, "0.00"),
        (THRESHOLD, 10 * MINUTE, "0.00"),
        (THRESHOLD, 10 * MINUTE + SECOND, "2.50"),
        (THRESHOLD, 60 * MINUTE, "2.50"),
        (THRESHOLD, 60 * MINUTE + SECOND, "5.00"),
    ],
)
async def test_boundaries(
    session: asyncpg.Connection, tariff: Tariff, stayed: timedelta, amount: str
) -> None:
    priced = await price(session, [tariff], ENTRY, ENTRY + stayed)
    assert str(priced.amount) == amount
    assert priced.currency == "EUR"
    assert priced.rules == [tariff.id]


@pytest.mark.parametrize(
    ("currency", "unit", "blocks", "amount"),
    [
        ("JPY", "100", 3, "300"),
        ("JPY", "33.5", 1, "34"),
        ("JPY", "33.4", 1, "33"),
        ("EUR", "0.125", 1, "0.13"),
        ("EUR", "0.124", 1, "0.12"),
        ("EUR", "0.13416667", 3, "0.40"),
        ("KWD", "0.0125", 1, "0.013"),
        ("KWD", "0.250", 2, "0.500"),
    ],
)
async def test_the_amount_is_rounded_half_up_to_the_currency(
    session: asyncpg.Connection, currency: str, unit: str, blocks: int, amount: str
) -> None:
    tariff = replace(HOURLY, config=by_blocks(unit))
    priced = await price(session, [tariff], ENTRY, ENTRY + blocks * HOUR, currency)
    assert str(priced.amount) == amount
    assert sum(Decimal(line["amount"]) for line in priced.lines) == Decimal(amount)


def berlin(*wall: int, fold: int = 0) -> datetime:
    """An instant by the wall clock of Berlin; `fold` 1 is the later of two equal readings."""
    year, month, day, hour, minute = wall
    return datetime(year, month, day, hour, minute, fold=fold, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("entry", "exit_", "amount"),
    [
        # 29 March 2026: 02:00 becomes 03:00; from 01:30 to 03:30 is one hour.
        (berlin(2026, 3, 29, 1, 30), berlin(2026, 3, 29, 3, 30), "2.50"),
        # 25 October 2026: 03:00 becomes 02:00; from 01:30 to 03:30 is three hours.
        (berlin(2026, 10, 25, 1, 30), berlin(2026, 10, 25, 3, 30), "7.50"),
        # The same reading of the clock, before and after.
        (berlin(2026, 10, 25, 2, 30), berlin(2026, 10, 25, 2, 30, fold=1), "2.50"),
        (berlin(2026, 10, 24, 12, 0), berlin(2026, 10, 25, 12, 0), "62.50"),
    ],
)
async def test_a_night_of_a_clock_change_is_as_long_as_it_was(
    session: asyncpg.Connection, entry: datetime, exit_: datetime, amount: str
) -> None:
    priced = await price(session, [HOURLY], entry, exit_)
    assert str(priced.amount) == amount


async def test_the_lines_explain_the_amount(session: asyncpg.Connection) -> None:
    priced = await price(session, [DEDUCTED], ENTRY, ENTRY + 71 * MINUTE)
    rule = str(DEDUCTED.id)
    assert priced.lines == [
        {
            "kind": "free",
            "rule": rule,
            "name": "hourly",
            "from": "2026-03-10T09:00:00.000000Z",
            "to": "2026-03-10T09:10:00.000000Z",
            "free_minutes": 10,
            "amount": "0.00",
        },
        {
            "kind": "block",
            "rule": rule,
            "name": "hourly",
            "from": "2026-03-10T09:10:00.000000Z",
            "to": "2026-03-10T10:11:00.000000Z",
            "band": None,
            "minutes": 60,
            "blocks": 2,
            "unit_price": "2.50",
            "amount": "5.00",
        },
    ]
    lost = await price(session, [THRESHOLD], ENTRY, ENTRY + 71 * MINUTE)
    assert [line["kind"] for line in lost.lines] == ["block"]
    assert lost.lines[0]["from"] == "2026-03-10T09:00:00.000000Z"


async def test_the_version_in_force_at_entry_with_the_highest_priority_governs(
    session: asyncpg.Connection,
) -> None:
    changed = ENTRY + HOUR
    old = replace(HOURLY, id=uuid4(), valid_until=changed)
    new = replace(FLAT, id=uuid4(), valid_from=changed)
    event = Tariff("FLAT", flat("9"), name="event", priority=9, valid_from=changed + HOUR)
    tariffs = [old, new, event]
    for entry, rule in (
        (changed - timedelta(microseconds=1), old),
        (changed, new),
        (changed + HOUR - timedelta(microseconds=1), new),
        (changed + HOUR, event),
    ):
        priced = await price(session, tariffs, entry, entry + 10 * HOUR)
        assert priced.rules == [rule.id]


# ── what has no price ───────────────────────────────────────────────────────────────────────


async def test_what_has_no_price_is_an_error_with_a_name(session: asyncpg.Connection) -> None:
    cases: list[tuple[str, list[Tariff], datetime]] = [
        ("GT010", [HOURLY], ENTRY - timedelta(microseconds=1)),
        ("GT011", [], ENTRY),
        ("GT011", [replace(HOURLY, valid_from=ENTRY + SECOND)], ENTRY + HOUR),
        ("GT011", [replace(HOURLY, valid_until=ENTRY)], ENTRY + HOUR),
    ]
    for state, tariffs, exit_ in cases:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await price(session, tariffs, ENTRY, exit_)
        assert refused.value.sqlstate == state


async def test_a_currency_without_decimals_known_is_refused(session: asyncpg.Connection) -> None:
    transaction = session.transaction()
    await transaction.start()
    try:
        await session.execute(
            "ALTER TABLE gate.facility_settings DROP CONSTRAINT facility_settings_currency_fkey"
        )
        with pytest.raises(asyncpg.PostgresError) as refused:
            await price(session, [HOURLY], ENTRY, ENTRY + HOUR, "ZZZ")
    finally:
        await transaction.rollback()
    assert refused.value.sqlstate == "GT012"


async def test_a_facility_without_settings_has_no_price(session: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await session.fetchrow("SELECT * FROM gate.price_stay_v1($1, $2, $2)", uuid4(), ENTRY)
    assert refused.value.sqlstate == "GT013"


async def test_the_store_says_what_is_wrong_and_does_not_try_again(postgres_bench: Bench) -> None:
    store = postgres_bench.postgres
    hour = QuoteRequest(NOW, NOW + HOUR)
    gate = await postgres_bench.gate(make_site(tariffs=[]))
    with pytest.raises(StoreError, match="no pricing rule in force") as refused:
        await store.quote(gate.site.id, hour)
    assert not refused.value.retryable
    priced = await postgres_bench.gate()
    charge = await store.quote(priced.site.id, hour)
    assert (charge.amount, charge.currency) == (Decimal("2.50"), "EUR")
    assert charge.rules == (priced.site.tariffs[0].id,)
    assert [line["amount"] for line in charge.lines] == ["2.50"]
