"""A facility to reserve spots of, and the means to ask: shared by the suites on reservations."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.ids import FacilityId, SpotId, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, PlateSnapshot, Right
from gated.db.bookings import (
    ReserveAnswer,
    ReserveOutcome,
    ReserveRequest,
)
from gated.records import AdmitAnswer
from tests.db.site import NOW, Gate, Spot, make_site, write_spots
from tests.db.stores import Bench
from tests.e2e.waiting import eventually_asked

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
START, UNTIL = NOW + HOUR, NOW + 3 * HOUR
PLATE = "RES123"

SPOTS = [
    Spot("1", "COMPACT"),
    Spot("2"),
    Spot("3", charger=True),
    Spot("4", accessible=True),
    Spot("5", "LARGE"),
    Spot("6", status="MAINTENANCE"),
    Spot("7", active=False),
]


@dataclass(frozen=True, slots=True)
class Scene:
    """A facility with one spot of each kind, a second zone with one, and the means to ask."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate
    spots: dict[str, SpotId]

    @property
    def id(self) -> FacilityId:
        return self.gate.site.id

    @property
    def zone_two(self) -> ZoneId:
        return self.gate.site.setup.zones[1].id

    async def reserve(self, **changes: object) -> ReserveAnswer:
        return await self.ask(request(**changes))

    async def ask(self, asked: ReserveRequest) -> ReserveAnswer:
        return await self.bench.postgres.reserve(self.id, asked)

    async def held(self, **changes: object) -> StayId:
        """A reservation that was made; of spot 2 where none is named."""
        asked = request(**{"spot": self.spots["2"], "plate": PLATE, **changes})
        answer = await self.ask(asked)
        assert answer.outcome is ReserveOutcome.RESERVED
        return asked.id

    async def snapshot(self, at: datetime, plate: str = PLATE) -> PlateSnapshot:
        return await self.gate.store.plate_snapshot(self.id, Plate(plate), Direction.ENTRY, at)

    async def arrive(
        self,
        booking: StayId,
        at: datetime,
        *,
        plate: str = PLATE,
        zone: ZoneId | None = None,
        vehicle: UUID | None = None,
    ) -> AdmitAnswer:
        asked = await self.gate.entry(
            plate,
            at=at,
            zone=zone,
            vehicle=vehicle,
            entitlement=Entitlement(Right.RESERVATION, booking),
        )
        return await self.gate.store.admit(self.id, self.gate.fence, asked)

    async def back_out(self, stay: StayId, at: datetime) -> None:
        available = await self.gate.store.cancel_admission(
            self.id, self.gate.fence, stay, self.gate.site.entry, "backed out", at, uuid4()
        )
        assert available is not None

    async def leave(self, stay: StayId, at: datetime, plate: str = PLATE) -> None:
        await self.gate.store.release(
            self.id, self.gate.fence, await self.gate.departure(stay, plate, at=at)
        )

    async def keep(self, at: datetime) -> tuple[int, int]:
        """No-shows that were ended, spots that were marked as held."""
        return await self.bench.postgres.keep_reservations(self.id, at)

    async def booking(self, booking: StayId) -> asyncpg.Record:
        row = await self.owner.fetchrow("SELECT * FROM bookings WHERE id = $1", booking)
        assert row is not None
        return row

    async def state(self, number: str) -> tuple[str, UUID | None]:
        row = await self.owner.fetchrow(
            "SELECT status::text, current_booking FROM parking_spots WHERE id = $1",
            self.spots[number],
        )
        assert row is not None
        return row[0], row[1]

    async def audits(self, booking: StayId) -> list[tuple[str, str]]:
        rows = await self.owner.fetch(
            "SELECT action, actor FROM audit_logs WHERE facility_id = $1 AND resource_id = $2"
            " ORDER BY timestamp, action",
            self.id,
            booking,
        )
        return [tuple(row) for row in rows]


def request(**changes: object) -> ReserveRequest:
    asked = ReserveRequest(StayId(uuid4()), START, UNTIL, NOW)
    return replace(asked, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def scene(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Scene:
    gate = await postgres_bench.gate(make_site([[], ["B-1"]]))
    return Scene(postgres_bench, owner_of, gate, await write_spots(owner_of, gate.site, SPOTS))


@pytest.fixture
async def alone(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Scene:
    """One spot, 2, and nothing else."""
    gate = await postgres_bench.gate(make_site([[], []]))
    return Scene(
        postgres_bench, owner_of, gate, await write_spots(owner_of, gate.site, [Spot("2")])
    )


def plate() -> str:
    """One that nobody else has: vehicles are known to all facilities."""
    return uuid4().hex[:12].upper()


OWNER_SAYS = {
    "facility closed": "UPDATE facilities SET is_active = false WHERE id = $1",
    "zone closed": "UPDATE zones SET is_active = false WHERE facility_id = $1",
    "chargers not kept": (
        "UPDATE gate.facility_settings SET ev_spots_kept = false WHERE facility_id = $1"
    ),
}


R = ReserveOutcome


WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE '%{}%'"
)


async def until_it_waits(owner: asyncpg.Connection, function: str) -> None:
    async def waits() -> bool:
        await owner.execute("SELECT pg_stat_clear_snapshot()")
        return bool(await owner.fetchval(WAITS.format(function)))

    await eventually_asked(waits, f"{function} waits")
