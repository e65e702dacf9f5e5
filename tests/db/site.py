"""A small facility for the store's tests, as values: to be put into a database or into the fake."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from gated.core.effects import DenyReason, Do, GrantReason
from gated.core.events import PlateRead
from gated.core.ids import (
    CommandId,
    DeviceId,
    EventId,
    FacilityId,
    Fence,
    LaneId,
    Slug,
    StayId,
    ZoneId,
)
from gated.core.plates import Plate
from gated.core.site import (
    DeviceSetup,
    Direction,
    FacilitySetup,
    LanePolicy,
    LaneSetup,
    ZoneSetup,
)
from gated.ports import Store
from gated.records import (
    AdmitRequest,
    Command,
    DenyRequest,
    EventStatus,
    InboxRow,
    ReleaseRequest,
)

# A fixed instant in the current month, so that its partitions exist.
NOW = datetime.now(UTC).replace(day=15, hour=12, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a pricing rule, as `pricing_rules` has it."""

    strategy: str = "BLOCK"
    config: Mapping[str, object] = field(
        default_factory=lambda: {"block_minutes": 60, "block_price": "2.50"}
    )
    free_minutes: int = 0
    priority: int = 0
    valid_from: datetime = NOW - timedelta(days=3650)
    valid_until: datetime | None = None
    id: UUID = field(default_factory=uuid4)
    name: str = "by the hour"


@dataclass(frozen=True, slots=True)
class Site:
    """The set-up, and what it does not name: spot numbers, currency, tariffs."""

    setup: FacilitySetup
    spots: Mapping[ZoneId, Sequence[str]]
    tariffs: Sequence[Tariff]

    @property
    def id(self) -> FacilityId:
        return self.setup.id

    @property
    def zone(self) -> ZoneId:
        return self.setup.zones[0].id

    @property
    def entry(self) -> LaneId:
        return self.setup.lanes[0].id

    @property
    def entry_two(self) -> LaneId:
        return self.setup.lanes[1].id

    @property
    def exit(self) -> LaneId:
        return self.setup.lanes[2].id

    def device(self, lane: LaneId) -> DeviceId:
        return next(device.id for device in self.setup.devices if device.lane == lane)


def make_site(
    spots: Sequence[Sequence[str]] = (("A-1", "A-2", "A-10"), ("B-1",)),
    *,
    tariffs: Sequence[Tariff] | None = None,
    currency: str = "EUR",
) -> Site:
    """A facility with the zones given, two entries that fill them in order, and one exit."""
    slug = Slug(f"site-{uuid4().hex[:12]}")
    zones = tuple(
        ZoneSetup(ZoneId(uuid4()), Slug(f"zone-{number}"), f"Zone {number}", len(numbers))
        for number, numbers in enumerate(spots)
    )
    lanes = tuple(
        LaneSetup(
            LaneId(uuid4()),
            Slug(name),
            direction,
            tuple(zone.id for zone in zones) if direction is Direction.ENTRY else (),
            presence_loop=False,
            closing_loop=False,
            barrier=None,
            policy=LanePolicy(),
        )
        for name, direction in (
            ("entry-1", Direction.ENTRY),
            ("entry-2", Direction.ENTRY),
            ("exit-1", Direction.EXIT),
        )
    )
    devices = tuple(
        DeviceSetup(
            DeviceId(uuid4()),
            Slug(f"gate-{lane.slug}"),
            slug,
            lane.id,
            lane.slug,
            lane.direction,
            "native",
        )
        for lane in lanes
    )
    setup = FacilitySetup(
        FacilityId(uuid4()), slug, "Test site", "Europe/Berlin", currency, 1, zones, lanes, devices
    )
    numbered = {zone.id: numbers for zone, numbers in zip(zones, spots, strict=True)}
    return Site(setup, numbered, (Tariff(),) if tariffs is None else tariffs)


async def write_site(dsn: str, site: Site) -> None:
    """Put the site into a database, as its owner."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await _write(connection, site)
    finally:
        await connection.close()


async def _write(connection: asyncpg.Connection, site: Site) -> None:
    setup = site.setup
    await connection.execute(
        "INSERT INTO facilities (id, name, city) VALUES ($1, $2, 'Berlin')",
        setup.id,
        setup.name,
    )
    await connection.execute(
        "INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency)"
        " VALUES ($1, $2, $3, $4)",
        setup.id,
        setup.slug,
        setup.time_zone,
        setup.currency,
    )
    for zone in setup.zones:
        numbers = site.spots[zone.id]
        await connection.execute(
            "INSERT INTO zones (id, facility_id, name, code) VALUES ($1, $2, $3, $4)",
            zone.id,
            setup.id,
            zone.name,
            zone.slug,
        )
        await connection.executemany(
            "INSERT INTO parking_spots (zone_id, spot_number) VALUES ($1, $2)",
            [(zone.id, number) for number in numbers],
        )
    for lane in setup.lanes:
        await connection.execute(
            "INSERT INTO gate.lanes (id, facility_id, slug, direction) VALUES ($1, $2, $3, $4)",
            lane.id,
            setup.id,
            lane.slug,
            lane.direction.value,
        )
        await connection.executemany(
            "INSERT INTO gate.lane_zones (lane_id, zone_id, position) VALUES ($1, $2, $3)",
            [(lane.id, zone, position) for position, zone in enumerate(lane.zones)],
        )
    for device in setup.devices:
        await connection.execute(
            "INSERT INTO gate.devices (id, facility_id, lane_id, slug, family)"
            " VALUES ($1, $2, $3, $4, $5)",
            device.id,
            setup.id,
            device.lane,
            device.slug,
            device.family,
        )
    for tariff in site.tariffs:
        await write_tariff(connection, setup.id, tariff)


async def write_tariff(
    connection: asyncpg.Connection, facility: FacilityId, tariff: Tariff
) -> None:
    await connection.execute(
        "INSERT INTO pricing_rules (id, facility_id, name, strategy, config, priority,"
        " free_minutes, valid_from, valid_until)"
        " VALUES ($1, $2, $3, $4::text::pricing_strategy, $5, $6, $7, $8, $9)",
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


# ── requests ────────────────────────────────────────────────────────────────────────────────


def message(site: Site, lane: LaneId, *, at: datetime = NOW, key: str | None = None) -> InboxRow:
    """A new message of the lane's device."""
    event = EventId(uuid4())
    return InboxRow(
        id=event,
        key=key or str(event),
        device=site.device(lane),
        lane=lane,
        topic="gated/v1/site/lane/entry-1/plate",
        payload=b'{"plate":"B AB 123"}',
        kind="plate",
        status=EventStatus.NEW,
        device_at=at,
        received_at=at,
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """A store with the lease of one site: makes requests the way an actor does."""

    store: Store
    site: Site
    fence: Fence

    async def happened(self, lane: LaneId, at: datetime = NOW) -> EventId:
        """A message that is stored and not decided yet."""
        row = message(self.site, lane, at=at)
        assert list(await self.store.append_events(self.site.id, self.fence, [row])) == [True]
        return row.id

    def command(
        self, event: EventId, lane: LaneId, stay: StayId | None, plate: Plate, at: datetime
    ) -> Command:
        return Command(
            id=CommandId(uuid4()),
            lane=lane,
            device=self.site.device(lane),
            do=Do.OPEN,
            reason="transient",
            event=event,
            fence=self.fence,
            issued_at=at,
            expires_at=at + timedelta(seconds=3),
            plate=plate,
            stay=stay,
        )

    async def entry(
        self,
        plate: str = "BAB123",
        *,
        lane: LaneId | None = None,
        zone: ZoneId | None = None,
        at: datetime = NOW,
        vehicle: UUID | None = None,
        user: UUID | None = None,
    ) -> AdmitRequest:
        lane = lane or self.site.entry
        event = await self.happened(lane, at)
        stay = StayId(uuid4())
        return AdmitRequest(
            event=event,
            lane=lane,
            zone=zone or self.site.zone,
            stay=stay,
            read=PlateRead(Plate(plate), f"{plate} raw", confidence=0.5),
            at=at,
            reason=GrantReason.TRANSIENT,
            vehicle=vehicle,
            user=user,
            command=self.command(event, lane, stay, Plate(plate), at),
        )

    async def departure(
        self,
        stay: StayId,
        plate: str = "BAB123",
        *,
        at: datetime = NOW + timedelta(minutes=61),
        lane: LaneId | None = None,
    ) -> ReleaseRequest:
        lane = lane or self.site.exit
        event = await self.happened(lane, at)
        return ReleaseRequest(
            event=event,
            lane=lane,
            stay=stay,
            read=PlateRead(Plate(plate), f"{plate} raw", confidence=0.5),
            at=at,
            reason=GrantReason.STAY_OPEN,
            command=self.command(event, lane, stay, Plate(plate), at),
        )

    async def denial(
        self, reason: DenyReason = DenyReason.FULL, *, show: bool = True, at: datetime = NOW
    ) -> DenyRequest:
        event = await self.happened(self.site.entry, at)
        plate = Plate("BAB123")
        command = self.command(event, self.site.entry, None, plate, at)
        return DenyRequest(
            event=event,
            lane=self.site.entry,
            reason=reason,
            read=PlateRead(plate, "B AB 123"),
            at=at,
            command=replace(command, do=Do.DENY) if show else None,
        )

    async def admitted(self, plate: str = "BAB123", *, at: datetime = NOW) -> StayId:
        """A vehicle that was let in and has not passed yet."""
        request = await self.entry(plate, at=at)
        answer = await self.store.admit(self.site.id, self.fence, request)
        assert answer.stay == request.stay
        return request.stay
