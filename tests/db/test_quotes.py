"""What a price is asked with, quotes of periods ahead, and what is frozen on the stay.

It depends on vehicle, rights, occupancy at entry, validations and an earlier visit.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.errors import StoreError
from gated.core.ids import StayId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import (
    LoseOutcome,
    Payment,
    QuoteRequest,
    ReserveOutcome,
    ReserveRequest,
    ValidateOutcome,
)
from gated.records import Charge, PaymentOutcome
from tests.db.site import NOW, Gate, Tariff, by_blocks, flat, make_site
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PLATE = "QUO123"
EVER = datetime(1800, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """A facility with these tariffs, and who asks for prices there."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate

    async def quote(self, start: datetime = NOW, length: timedelta = HOUR, **more: Any) -> Charge:
        request = QuoteRequest(start, start + length, **more)
        return await self.bench.postgres.quote(self.gate.site.id, request)

    async def price(self, plate: str, at: datetime) -> Decimal:
        """What the exit is told."""
        snapshot = await self.gate.store.plate_snapshot(
            self.gate.site.id, Plate(plate), Direction.EXIT, at
        )
        assert snapshot.price is not None
        return snapshot.price.amount

    async def leave(self, stay: StayId, plate: str, at: datetime) -> Decimal:
        departure = await self.gate.departure(stay, plate, at=at)
        answer = await self.gate.store.release(self.gate.site.id, self.gate.fence, departure)
        assert answer.price is not None
        return answer.price.amount

    async def booking(self, stay: UUID) -> asyncpg.Record:
        row = await self.owner.fetchrow("SELECT * FROM bookings WHERE id = $1", stay)
        assert row is not None
        return row

    async def pay(self, stay: StayId, amount: str, at: datetime) -> PaymentOutcome:
        ticket = (await self.booking(stay))["ticket_number"]
        told = Payment(uuid4(), Decimal(amount), "EUR", "CASH", at, ticket=ticket)
        return (await self.bench.postgres.record_payment(self.gate.site.id, told)).outcome


async def desk_with(
    bench: Bench, owner: asyncpg.Connection, tariffs: Sequence[Tariff], spots: int = 4
) -> Desk:
    numbers = [f"A-{number}" for number in range(spots)]
    return Desk(bench, owner, await bench.gate(make_site([numbers], tariffs=list(tariffs))))


def normal(**more: Any) -> Tariff:
    """4.00 for each hour."""
    return Tariff(config=by_blocks("4.00"), name="normal", **more)


def special(amount: str, **conditions: object) -> Tariff:
    """A flat tariff that goes before the normal one where all of the conditions hold."""
    config = flat(amount, **{"for": conditions})
    return Tariff("FLAT", config, name=f"for {sorted(conditions)}", priority=5)


async def test_a_quote_is_by_the_versions_that_are_in_force_then(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    change = NOW + 30 * DAY
    old = normal(valid_until=change)
    new = Tariff(config=by_blocks("6.00"), name="normal", valid_from=change)
    desk = await desk_with(postgres_bench, owner_of, [old, new])
    assert (await desk.quote()).amount == Decimal("4.00")
    ahead = await desk.quote(change)
    assert (ahead.amount, ahead.currency, ahead.rules) == (Decimal("6.00"), "EUR", (new.id,))
    over = await desk.quote(change - HOUR, 3 * HOUR)
    assert (over.amount, over.rules) == (Decimal("12.00"), (old.id,)), "entry governs"


@pytest.mark.parametrize(
    ("conditions", "registered", "holds"),
    [
        ({"vehicle_types": ["SUV", "VAN"]}, {"vehicle_type": "SUV"}, True),
        ({"vehicle_types": ["SUV", "VAN"]}, {"vehicle_type": "CAR"}, False),
        ({"electric": True}, {"is_electric": True}, True),
        ({"electric": True}, {}, False),
        ({"electric": False}, {}, True),
        ({"accessible": True}, {"has_accessible_permit": True}, True),
        ({"accessible": True, "electric": True}, {"has_accessible_permit": True}, False),
        ({"zones": ["zone-0", "zone-1"]}, {}, True),
        ({"zones": ["B"]}, {}, False),
        ({"reserved": False}, {}, True),
        ({"reserved": True}, {}, False),
        ({"members": ["gold"]}, {}, False),
    ],
    ids=str,
)
async def test_a_tariff_is_for_those_of_whom_all_that_it_asks_is_so(
    postgres_bench: Bench,
    owner_of: asyncpg.Connection,
    conditions: dict[str, object],
    registered: dict[str, object],
    holds: bool,
) -> None:
    desk = await desk_with(postgres_bench, owner_of, [normal(), special("1.00", **conditions)])
    columns = {"plate_number": f"Q{uuid4().hex[:10]}".upper(), **registered}
    names = ", ".join(columns)
    values = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    row = await owner_of.fetchrow(
        f"INSERT INTO vehicles ({names}) VALUES ({values}) RETURNING id, plate_normal",
        *columns.values(),
    )
    assert row is not None
    entry = await desk.gate.entry(row["plate_normal"], at=NOW, vehicle=row["id"])
    await desk.gate.store.admit(desk.gate.site.id, desk.gate.fence, entry)
    expected = Decimal("1.00" if holds else "4.00")
    assert await desk.price(row["plate_normal"], NOW + HOUR) == expected
    quoted = await desk.quote(vehicle=row["id"], zone=desk.gate.site.zone)
    assert quoted.amount == expected


async def test_a_member_has_the_members_tariff_while_the_subscription_is_valid(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    desk = await desk_with(postgres_bench, owner_of, [normal(), special("1.00", members=["gold"])])
    user = await postgres_bench.user()
    plan = await owner_of.fetchval(
        "INSERT INTO subscriptions (facility_id, name, price, duration_days)"
        " VALUES ($1, 'gold', 9, 30) RETURNING id",
        desk.gate.site.id,
    )
    await owner_of.execute(
        "INSERT INTO user_subscriptions (user_id, subscription_id, activated_at, expires_at)"
        " VALUES ($1, $2, $3, $4)",
        *(user, plan, NOW, NOW + DAY),
    )
    assert (await desk.quote(user=user)).amount == Decimal("1.00")
    assert (await desk.quote(NOW + DAY, user=user)).amount == Decimal("4.00")
    assert (await desk.quote(user=await postgres_bench.user())).amount == Decimal("4.00")


async def test_the_estimate_of_a_reservation_is_its_quote(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    desk = await desk_with(postgres_bench, owner_of, [normal(), special("7.00", reserved=True)])
    asked = ReserveRequest(StayId(uuid4()), NOW + HOUR, NOW + 3 * HOUR, NOW, PLATE)
    answer = await postgres_bench.postgres.reserve(desk.gate.site.id, asked)
    assert answer.outcome is ReserveOutcome.RESERVED
    assert answer.estimate is not None
    assert answer.estimate.amount == Decimal("7.00")
    quoted = await desk.quote(NOW + HOUR, 2 * HOUR, reserved=True)
    assert quoted.amount == answer.estimate.amount


SOLD = {"early": "charged", "unused": "charged", "overstay": "anew"}


async def test_a_reserved_stay_is_charged_as_its_tariff_sells_it(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    booked = Tariff(
        config={**by_blocks("1.00"), "for": {"reserved": True}, "reservation": SOLD},
        name="booked",
        priority=5,
    )
    desk = await desk_with(postgres_bench, owner_of, [normal(), booked])
    asked = ReserveRequest(StayId(uuid4()), NOW + HOUR, NOW + 4 * HOUR, NOW, PLATE)
    await postgres_bench.postgres.reserve(desk.gate.site.id, asked)
    right = Entitlement(Right.RESERVATION, asked.id)
    entry = await desk.gate.entry(PLATE, at=NOW + 2 * HOUR, entitlement=right)
    await desk.gate.store.admit(desk.gate.site.id, desk.gate.fence, entry)
    # Three hours were sold, though it came an hour late; what is past them costs what all pay.
    assert await desk.price(PLATE, NOW + 3 * HOUR) == Decimal("3.00")
    assert await desk.price(PLATE, NOW + 4 * HOUR) == Decimal("3.00")
    assert await desk.leave(asked.id, PLATE, NOW + 4 * HOUR + MINUTE) == Decimal("7.00")
    lines = json.loads((await desk.booking(asked.id))["price_lines"])
    assert [(line["name"], line["amount"]) for line in lines] == [
        ("booked", "3.00"),
        ("normal", "4.00"),
    ]


async def test_how_full_it_was_at_entry_stays_with_the_stay(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    steps = [{"from_percent": "50", "factor": "2"}, {"from_percent": "100", "factor": "9"}]
    surge = Tariff(config=by_blocks("4.00", occupancy=steps), name="surge")
    desk = await desk_with(postgres_bench, owner_of, [surge], spots=4)
    stays = [await desk.gate.admitted(f"OCC{number}") for number in range(3)]
    percents = [
        json.loads((await desk.booking(stay))["price_context"])["occupancy_percent"]
        for stay in stays
    ]
    assert percents == [0, 25, 50]
    assert [await desk.price(f"OCC{number}", NOW + HOUR) for number in range(3)] == [
        Decimal("4.00"),
        Decimal("4.00"),
        Decimal("8.00"),
    ]
    await desk.leave(stays[0], "OCC0", NOW + HOUR)
    assert await desk.price("OCC2", NOW + HOUR) == Decimal("8.00"), "as it was at entry"


VALIDATED = {
    "validations": [{"name": "cinema", "free_minutes": 60}, {"name": "hotel", "free": True}],
    "validation_order": "given",
    "validation_stacking": "all",
}


async def test_a_validation_counts_when_the_stay_is_priced_next(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    desk = await desk_with(
        postgres_bench, owner_of, [Tariff(config={**by_blocks("4.00"), **VALIDATED}, name="v")]
    )
    store, facility = postgres_bench.postgres, desk.gate.site.id
    stay = await desk.gate.admitted(PLATE)
    exit_ = NOW + 2 * HOUR
    assert await desk.price(PLATE, exit_) == Decimal("8.00")
    outcome = await store.validate_stay(facility, stay, "cinema", NOW + HOUR)
    assert outcome is ValidateOutcome.VALIDATED
    assert await desk.price(PLATE, exit_) == Decimal("4.00")
    unknown = await store.validate_stay(facility, stay, "theatre", NOW + HOUR)
    assert unknown is ValidateOutcome.VALIDATION_UNKNOWN
    nobody = await store.validate_stay(facility, StayId(uuid4()), "cinema", NOW + HOUR)
    assert nobody is ValidateOutcome.BOOKING_UNKNOWN
    assert await desk.leave(stay, PLATE, exit_) == Decimal("4.00")
    ended = await store.validate_stay(facility, stay, "hotel", exit_)
    assert ended is ValidateOutcome.BOOKING_ENDED
    audits = await owner_of.fetch(
        "SELECT details FROM audit_logs WHERE facility_id = $1 AND action = 'stay.validated'",
        facility,
    )
    assert [json.loads(row["details"])["validation"] for row in audits] == ["cinema"]


async def test_a_lost_ticket_has_its_price(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    lost = {"amount": "30.00", "reading": "at_least"}
    desk = await desk_with(
        postgres_bench, owner_of, [Tariff(config=by_blocks("4.00", lost_ticket=lost), name="l")]
    )
    store, facility = postgres_bench.postgres, desk.gate.site.id
    stay = await desk.gate.admitted(PLATE)
    for _ in range(2):
        assert await store.lose_ticket(facility, stay, NOW + HOUR) is LoseOutcome.LOST
    assert await desk.price(PLATE, NOW + HOUR) == Decimal("30.00")
    assert await desk.price(PLATE, NOW + 10 * HOUR) == Decimal("40.00")
    await desk.leave(stay, PLATE, NOW + HOUR)
    assert await store.lose_ticket(facility, stay, NOW + HOUR) is LoseOutcome.BOOKING_ENDED


REDUCED = {"second_visit": "reduced", "second_visit_percent": "75"}


@pytest.mark.parametrize(
    ("reading", "second"),
    [
        ({"second_visit": "separate"}, "4.00"),
        # As one stay of 70 minutes: two blocks, of which one is paid.
        ({"second_visit": "continued"}, "4.00"),
        (REDUCED, "1.00"),
        ({**REDUCED, "second_visit_minutes": 9}, "4.00"),
        ({**REDUCED, "second_visit_minutes": 10}, "1.00"),
    ],
    ids=str,
)
async def test_the_visit_before_is_known_by_the_plate(
    postgres_bench: Bench, owner_of: asyncpg.Connection, reading: dict[str, object], second: str
) -> None:
    config = {**by_blocks("4.00"), "rounding": {"mode": "half_up", "per": "total"}, **reading}
    desk = await desk_with(postgres_bench, owner_of, [Tariff(config=config, name="again")])
    first = await desk.gate.admitted(PLATE)
    assert await desk.leave(first, PLATE, NOW + 30 * MINUTE) == Decimal("4.00")
    back = await desk.gate.admitted(PLATE, at=NOW + 40 * MINUTE)
    assert await desk.leave(back, PLATE, NOW + 80 * MINUTE) == Decimal(second)
    # A third vehicle's visits are nobody else's.
    await desk.gate.admitted("OTHER1", at=NOW + 90 * MINUTE)
    assert await desk.price("OTHER1", NOW + 100 * MINUTE) == Decimal("4.00")


async def test_the_explanation_is_frozen_by_the_payment_and_again_at_the_exit(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    tariff = normal()
    desk = await desk_with(postgres_bench, owner_of, [tariff])
    stay = await desk.gate.admitted(PLATE)
    assert await desk.pay(stay, "1.00", NOW + HOUR) is PaymentOutcome.PART_PAID
    assert (await desk.booking(stay))["price_lines"] is None
    assert await desk.pay(stay, "3.00", NOW + HOUR) is PaymentOutcome.PAID
    paid = await desk.booking(stay)
    assert paid["pricing_rule_id"] == tariff.id
    assert [line["amount"] for line in json.loads(paid["price_lines"])] == ["4.00"]
    await desk.leave(stay, PLATE, NOW + 3 * HOUR)
    left = await desk.booking(stay)
    assert [line["amount"] for line in json.loads(left["price_lines"])] == ["12.00"]
    assert left["final_price"] == Decimal("12.00")


RESERVED = {"reserved_from": "2026-01-01T00:00:00Z", "reserved_until": "2026-01-02T00:00:00Z"}
EARLIER = {"entry": "2026-01-01T00:00:00Z", "exit": "2026-01-01T01:00:00Z", "amount": "1.00"}


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"vehicel_type": "CAR"}, "vehicel_type: no such key"),
        ({"electric": "yes"}, "electric: expected true or false"),
        ({"occupancy_percent": "full"}, "occupancy_percent: expected a number"),
        ({"reserved_from": "2026-01-01T00:00:00Z"}, "reserved_from goes before reserved_until"),
        ({"reserved_from": "soon", "reserved_until": "later"}, "context"),
        ({"earlier_visit": {"entry": "2026-01-01T00:00:00Z"}}, "earlier_visit"),
        ({"validations": ["cinema"]}, 'has no validation "cinema"'),
        ({"validations": [None]}, "validations: expected a list of names"),
        ({"vehicle_type": "SPACESHIP"}, "vehicle_type: expected a type of vehicle"),
        ({**RESERVED, "reserved_until": "infinity"}, "reserved_until: expected a time with offset"),
        ({**RESERVED, "reserved_until": "10.03.2026"}, "reserved_until: expected a time with"),
        ({**RESERVED, "reserved_until": "9999-12-31T00:00:00Z"}, "more than ten years"),
        ({"earlier_visit": {**EARLIER, "amount": "NaN"}}, "earlier_visit: expected entry, exit"),
        ({"earlier_visit": {**EARLIER, "amount": "1e9"}}, "earlier_visit: expected entry, exit"),
    ],
    ids=str,
)
async def test_a_context_that_is_none_is_an_error_that_says_so(
    postgres_bench: Bench, owner_of: asyncpg.Connection, context: dict[str, object], words: str
) -> None:
    desk = await desk_with(postgres_bench, owner_of, [normal()])
    with pytest.raises(StoreError, match=words) as refused:
        await desk.quote(context=context)
    assert not refused.value.retryable


async def test_a_period_that_ends_before_it_begins_has_no_price(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    desk = await desk_with(postgres_bench, owner_of, [normal()])
    with pytest.raises(StoreError, match="negative or unfinished stay"):
        await desk.quote(length=-MINUTE)


@pytest.mark.parametrize(
    ("start", "length"),
    [(NOW, timedelta(days=3700)), (NOW.replace(year=1900), HOUR), (NOW.replace(year=9000), HOUR)],
    ids=str,
)
async def test_a_stay_that_nobody_meant_is_refused_at_once(
    postgres_bench: Bench, owner_of: asyncpg.Connection, start: datetime, length: timedelta
) -> None:
    daily = {**by_blocks("4.00"), "new_day": "calendar_day"}
    desk = await desk_with(postgres_bench, owner_of, [Tariff(config=daily, valid_from=EVER)])
    with pytest.raises(StoreError, match="ten years"):
        await desk.quote(start, length)


async def test_no_context_is_an_empty_one(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    desk = await desk_with(postgres_bench, owner_of, [normal(), special("7.00", reserved=True)])
    amount = await owner_of.fetchval(
        "SELECT amount FROM gate.quote_v1($1, $2, $3, p_reserved => true, p_context => NULL)",
        *(desk.gate.site.id, NOW, NOW + HOUR),
    )
    assert amount == Decimal("7.00")


async def test_who_comes_after_the_reserved_time_pays_from_then_on(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    sold = {**by_blocks("1.00"), "for": {"reserved": True}, "reservation": SOLD}
    booked = Tariff(config=sold, name="booked", priority=5)
    desk = await desk_with(postgres_bench, owner_of, [normal(), booked])
    context = {
        "reserved_from": (NOW - 5 * HOUR).isoformat(),
        "reserved_until": (NOW - 3 * HOUR).isoformat(),
    }
    # The two hours that were sold, and the one that it was there.
    assert (await desk.quote(context=context)).amount == Decimal("6.00")


async def test_a_rounding_that_the_currency_does_not_have_is_an_error(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    rounding = {"mode": "up", "per": "total", "to": "0.003"}
    desk = await desk_with(
        postgres_bench, owner_of, [Tariff(config=by_blocks("4.00", rounding=rounding))]
    )
    with pytest.raises(StoreError, match=r"rounds to 0\.003, which the currency does not have"):
        await desk.quote()


async def test_ten_thousand_yen_are_written_out(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    site = make_site([["1"]], currency="JPY", tariffs=[Tariff(config=by_blocks("10000"))])
    desk = Desk(postgres_bench, owner_of, await postgres_bench.gate(site))
    assert str((await desk.quote()).amount) == "10000"
    await desk.gate.admitted(PLATE)
    assert str(await desk.price(PLATE, NOW + HOUR)) == "10000"
