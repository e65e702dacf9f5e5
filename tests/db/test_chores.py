"""Housekeeping on a real database: what it heals, closes and opens, and what it tells of that."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
import structlog

from gated.core.snapshot import Entitlement, Right
from gated.housekeeping import keep_house
from tests.actors.conftest import Events
from tests.db.site import NOW, Gate, Tariff, drifts, make_site, set_up
from tests.db.stores import Bench
from tests.e2e.waiting import eventually_asked

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class At:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class House:
    """A gate, its database's owner, and a daemon's housekeeping."""

    bench: Bench
    gate: Gate
    owner: asyncpg.Connection

    @asynccontextmanager
    async def kept(self, at: datetime) -> AsyncIterator[None]:
        """All chores are done at least once when the block ends, which waits for what it asks."""
        task = asyncio.create_task(keep_house(self.bench.postgres, At(at)))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def value(self, statement: str) -> Any:
        return await self.owner.fetchval(statement, self.gate.site.id)


@pytest.fixture
def log_events() -> Iterator[Events]:
    with structlog.testing.capture_logs() as events:
        yield events


@pytest.fixture
async def house(fresh_bench: Bench) -> AsyncIterator[House]:
    gate = await fresh_bench.gate()
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    yield House(fresh_bench, gate, owner)
    await owner.close()


def told(events: Events, name: str) -> list[dict[str, Any]]:
    return [dict(event) for event in events if event["event"] == name]


async def until(happened: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return happened()

    await eventually_asked(asked, "housekeeping did it")


async def test_wrong_counters_are_mended_and_told(house: House, log_events: Events) -> None:
    await house.owner.execute("UPDATE zones SET available_spots = 0")
    async with house.kept(NOW):
        await until(lambda: bool(told(log_events, "occupancy.healed")))
    (event,) = told(log_events, "occupancy.healed")
    assert (event["facility"], event["spots"], event["counters"]) == (house.gate.site.id, 0, 2)
    assert await drifts(house.owner, house.gate.site.id) == []


async def test_a_policy_closes_what_it_can_price_and_tells_of_the_rest(
    house: House, log_events: Events
) -> None:
    unpriced = await house.bench.gate(make_site(tariffs=[Tariff(valid_until=NOW - DAY)]))
    stays = [await gate.admitted("AAA111", at=NOW) for gate in (unpriced, house.gate)]
    for gate in (unpriced, house.gate):
        await set_up(house.owner, gate.site.id, phantom_close_days=3)
        await set_up(house.owner, gate.site.id, phantom_policy="close_after_days")
    listed = await house.bench.gate()
    await listed.admitted("CCC333", at=NOW)
    async with house.kept(NOW + 3 * DAY):
        await until(
            lambda: bool(told(log_events, "stay.closed") and told(log_events, "stay.close_failed"))
        )
    assert [event["stay"] for event in told(log_events, "stay.closed")] == [stays[1]]
    (failed,) = told(log_events, "stay.close_failed")
    assert failed["stay"] == stays[0]
    assert "no pricing rule in force" in failed["error"]
    active = await house.owner.fetchval("SELECT count(*) FROM bookings WHERE status = 'ACTIVE'")
    assert active == 2


async def test_offences_of_standing_vehicles_are_opened_and_told(
    house: House, log_events: Events
) -> None:
    site = house.gate.site
    await house.owner.execute("INSERT INTO gate.penalties VALUES ($1, 'overstay', 30)", site.id)
    booking = await house.bench.reserve(house.gate, "BAB123")
    request = await house.gate.entry(entitlement=Entitlement(Right.RESERVATION, booking))
    await house.gate.store.admit(site.id, house.gate.fence, request)
    await house.owner.execute(
        "INSERT INTO gate.spot_states (spot_id, facility_id, occupied, since, heard_at, told_at,"
        " event_id) SELECT id, $1, true, $2, $2, $2, $3 FROM parking_spots"
        " WHERE spot_number = 'B-1'",
        site.id,
        NOW,
        request.event,
    )
    async with house.kept(NOW + 5 * HOUR):
        await until(lambda: bool(told(log_events, "spot.unexplained")))
    (opened,) = told(log_events, "violation.opened")
    assert (opened["kind"], opened["stay"], opened["zone"]) == ("overstay", booking, "zone-0")
    (strange,) = told(log_events, "spot.unexplained")
    assert (strange["zone"], strange["spot"], strange["since"]) == ("zone-1", "B-1", NOW)
    penalty = await house.value("SELECT penalty_amount FROM violations WHERE facility_id = $1")
    assert penalty == Decimal(30)


async def test_two_daemons_at_once_do_it_once(house: House, log_events: Events) -> None:
    await house.gate.admitted("AAA111", at=NOW)
    await set_up(house.owner, house.gate.site.id, phantom_close_days=3)
    await set_up(house.owner, house.gate.site.id, phantom_policy="close_after_days")
    async with house.kept(NOW + 9 * DAY), house.kept(NOW + 9 * DAY):
        await until(lambda: bool(told(log_events, "stay.closed")))
    audits = await house.value(
        "SELECT count(*) FROM audit_logs WHERE facility_id = $1 AND action = 'stay.closed'"
    )
    assert audits == 1
