"""A facility with penalties and an operator, and the means to look at what waits there."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.effects import FreeKind, PassageKnown
from gated.core.events import PlateRead
from gated.core.ids import EventId, FacilityId, LaneId, StayId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.db.store import PostgresStore
from gated.records import FreePassage, FreePassageAnswer
from tests.db.site import NOW, Gate, Site, drifts, make_site
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PLATE = "BAB123"


@dataclass(frozen=True, slots=True)
class Desk:
    """`owner` looks and sets up, `gate` does what lanes do."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate

    @property
    def id(self) -> FacilityId:
        return self.gate.site.id

    @property
    def site(self) -> Site:
        return self.gate.site

    @property
    def store(self) -> PostgresStore:
        return self.bench.postgres

    async def inside(self, plate: str = PLATE, at: datetime = NOW) -> StayId:
        """A vehicle that was let in and seen passing."""
        stay = await self.gate.admitted(plate, at=at)
        await self.store.complete_passage(
            self.id, self.gate.fence, stay, self.site.entry, PassageKnown.MEASURED, at, uuid4()
        )
        return stay

    def passage(
        self,
        kind: FreeKind = FreeKind.HELD,
        *,
        lane: LaneId | None = None,
        plate: str | None = PLATE,
        at: datetime = NOW,
        **more: Any,
    ) -> FreePassage:
        """One through the site's entry, or through the lane given."""
        lane = lane or self.site.entry
        return FreePassage(
            EventId(uuid4()),
            lane,
            Direction.EXIT if lane == self.site.exit else Direction.ENTRY,
            kind,
            StayId(uuid4()),
            at,
            PlateRead(Plate(plate), f"{plate} raw", confidence=0.5) if plate else None,
            **more,
        )

    async def tell(self, told: FreePassage) -> FreePassageAnswer:
        return await self.store.pass_freely(self.id, self.gate.fence, told)

    async def enters(self, kind: FreeKind = FreeKind.HELD, **more: Any) -> FreePassageAnswer:
        return await self.tell(self.passage(kind, **more))

    async def leaves(
        self, kind: FreeKind = FreeKind.HELD, at: datetime = NOW + 61 * MINUTE, **more: Any
    ) -> FreePassageAnswer:
        return await self.tell(self.passage(kind, lane=self.site.exit, at=at, **more))

    async def punish(self, kind: str, amount: str) -> None:
        await self.owner.execute(
            "INSERT INTO gate.penalties (facility_id, violation_type, amount) VALUES ($1, $2, $3)",
            self.id,
            kind,
            Decimal(amount),
        )

    async def booking(self, stay: UUID | None) -> asyncpg.Record:
        row = await self.owner.fetchrow(
            "SELECT *, price_lines::text AS lines FROM bookings WHERE id = $1", stay
        )
        assert row is not None
        return row

    async def lines(self, stay: UUID | None) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = json.loads((await self.booking(stay))["lines"])
        return lines

    async def violations(self) -> list[dict[str, Any]]:
        rows = await self.owner.fetch(
            "SELECT violation_type AS kind, penalty_amount AS penalty, booking_id AS stay,"
            " plate_number AS plate, violation_time AS at, evidence::text FROM violations"
            " WHERE facility_id = $1 ORDER BY violation_time, violation_type",
            self.id,
        )
        return [dict(row) | {"evidence": json.loads(row["evidence"])} for row in rows]

    async def waiting(self) -> list[tuple[str, dict[str, Any]]]:
        """The reconciliations that are open."""
        found = await self.store.reconciliations(self.id)
        return [(one.kind, dict(one.details)) for one in found]

    async def audits(self, action: str) -> list[dict[str, Any]]:
        rows = await self.owner.fetch(
            "SELECT actor, user_id, resource_type, resource_id, correlation_id, timestamp,"
            " details::text FROM audit_logs WHERE facility_id = $1 AND action = $2"
            " ORDER BY timestamp",
            self.id,
            action,
        )
        return [dict(row) | {"details": json.loads(row["details"])} for row in rows]

    async def agrees(self) -> bool:
        """Whether everything that is kept twice says the same."""
        return await drifts(self.owner, self.id) == []


@pytest.fixture
async def desk(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Desk:
    """A facility with a zone of three spots and a zone of one."""
    return Desk(postgres_bench, owner_of, await postgres_bench.gate())


@pytest.fixture
async def small(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Desk:
    """A facility with one spot."""
    return Desk(postgres_bench, owner_of, await postgres_bench.gate(make_site([["1"]])))
