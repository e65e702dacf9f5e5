"""A small facility for the store's tests, as values: to be put into a database or into the fake."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from gated.core.effects import Do
from gated.core.events import PlateRead
from gated.core.ids import (
    CommandId,
    DeviceId,
    EventId,
    FacilityId,
    Fence,
    LaneId,
    Slug,
    SpotId,
    StayId,
    ZoneId,
)
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import (
    DeviceSetup,
    Direction,
    FacilitySetup,
    LanePolicy,
    LaneSetup,
    ZoneSetup,
)
from gated.core.snapshot import Entitlement
from gated.ports import Store
from gated.records import (
    AdmitRequest,
    Command,
    DenyRequest,
    EventStatus,
    InboxRow,
    MoveRequest,
    ReleaseRequest,
)

# A fixed instant in the current month, so that its partitions exist.
NOW = datetime.now(UTC).replace(day=15, hour=12, minute=0, second=0, microsecond=0)


def by_blocks(price: str = "2.50", minutes: int = 60, **more: Any) -> dict[str, Any]:
    """The config of a BLOCK: each block of `minutes` that has begun costs `price`."""
    readings = {"limit_reading": "inclusive", "zero_stay": "free", "new_day": "continue"}
    steps = [{"minutes": minutes, "price": price}]
    return {"steps": steps, **readings, "second_visit": "separate", **more}


def flat(amount: str, **more: Any) -> dict[str, Any]:
    """The config of a FLAT: `amount` for the entry itself."""
    return {"amount": amount, "zero_stay": "charged", "second_visit": "separate", **more}


def free_minutes(reading: str) -> dict[str, Any]:
    """What a config adds that goes with free minutes."""
    return {
        "free_minutes_reading": reading,
        "free_minutes_limit": "inclusive",
    }


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a pricing rule, as `pricing_rules` has it."""

    strategy: str = "BLOCK"
    config: Mapping[str, Any] = field(default_factory=by_blocks)
    free_minutes: int = 0
    priority: int = 0
    valid_from: datetime = NOW - timedelta(days=3650)
    valid_until: datetime | None = None
    id: UUID = field(default_factory=uuid4)
    name: str = "by the hour"


@dataclass(frozen=True, slots=True)
class Spot:
    """One bay, with what it offers; `metres`: from the site's first entry."""

    number: str
    size: str = "STANDARD"
    charger: bool = False
    accessible: bool = False
    status: str = "AVAILABLE"
    active: bool = True
    metres: int | None = None


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

    @property
    def inner(self) -> ZoneId:
        return self.setup.zones[1].id

    @property
    def inward(self) -> LaneId:
        return self.setup.lanes[3].id

    @property
    def outward(self) -> LaneId:
        return self.setup.lanes[4].id

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


def nested(site: Site) -> Site:
    """The same site with its second zone inside the first: entries fill the first alone, and two
    transfers lead from it into the second and back."""
    outer, inner = (zone.id for zone in site.setup.zones)
    lanes = [
        replace(lane, zones=(outer,)) if lane.direction is Direction.ENTRY else lane
        for lane in site.setup.lanes
    ]
    devices = list(site.setup.devices)
    for name, before, behind in (("inward", outer, inner), ("outward", inner, outer)):
        lane = replace(
            site.setup.lanes[0],
            id=LaneId(uuid4()),
            slug=Slug(name),
            direction=Direction.TRANSFER,
            zones=(behind,),
            from_zone=before,
        )
        lanes.append(lane)
        devices.append(
            replace(
                devices[0],
                id=DeviceId(uuid4()),
                slug=Slug(f"gate-{name}"),
                lane=lane.id,
                lane_slug=lane.slug,
                direction=lane.direction,
            )
        )
    setup = replace(site.setup, lanes=tuple(lanes), devices=tuple(devices))
    return replace(site, setup=setup)


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
            "INSERT INTO gate.lanes (id, facility_id, slug, direction, from_zone_id)"
            " VALUES ($1, $2, $3, $4, $5)",
            lane.id,
            setup.id,
            lane.slug,
            lane.direction.value,
            lane.from_zone,
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


async def write_spots(
    connection: asyncpg.Connection, site: Site, spots: Sequence[Spot], zone: ZoneId | None = None
) -> dict[str, SpotId]:
    """Add spots to a zone, the first one where none is named, as the owner: number → id."""
    ids: dict[str, SpotId] = {}
    for spot in spots:
        ids[spot.number] = await connection.fetchval(
            "INSERT INTO parking_spots (zone_id, spot_number, size, has_ev_charger, is_accessible,"
            " status, is_active)"
            " VALUES ($1, $2, $3::text::spot_size, $4, $5, $6::text::spot_status, $7)"
            " RETURNING id",
            zone or site.zone,
            spot.number,
            spot.size,
            spot.charger,
            spot.accessible,
            spot.status,
            spot.active,
        )
        if spot.metres is not None:
            await connection.execute(
                "INSERT INTO gate.spot_distances (lane_id, spot_id, metres) VALUES ($1, $2, $3)",
                site.entry,
                ids[spot.number],
                spot.metres,
            )
    return ids


async def set_up(connection: asyncpg.Connection, facility: FacilityId, **columns: object) -> None:
    """Change columns of the facility's settings, as the owner."""
    for name, value in columns.items():
        await connection.execute(
            f"UPDATE gate.facility_settings SET {name} = $2 WHERE facility_id = $1",
            facility,
            value,
        )


async def drifts(connection: asyncpg.Connection, facility: FacilityId) -> list[tuple[object, ...]]:
    """Where something that is kept twice says two things: should be nowhere."""
    rows = await connection.fetch(
        "SELECT kind, field, stated, counted FROM gate.verify_v1($1)", facility
    )
    return [tuple(row) for row in rows]


# Whatever an act at the gate, in the web shop or at the cash desk leaves behind.
WRITTEN = """
SELECT
    (SELECT count(*) FROM bookings WHERE facility_id = $1) AS bookings,
    (SELECT array_agg((id, status, entry_time)::text ORDER BY id) FROM bookings
     WHERE facility_id = $1) AS booking_states,
    (SELECT count(*) FROM gate.claims WHERE facility_id = $1) AS claims,
    (SELECT count(*) FROM gate.decisions WHERE facility_id = $1) AS decisions,
    (SELECT count(*) FROM gate.commands WHERE facility_id = $1) AS commands,
    (SELECT count(*) FROM audit_logs WHERE facility_id = $1) AS audits,
    (SELECT count(*) FROM gate.events WHERE facility_id = $1 AND status = 'new') AS pending,
    (SELECT count(*) FROM violations WHERE facility_id = $1) AS violations,
    (SELECT array_agg((p.id, p.status, p.refunded)::text ORDER BY p.id)
     FROM payments p JOIN bookings b ON b.id = p.booking_id
     WHERE b.facility_id = $1) AS payments,
    (SELECT count(*) FROM gate.refunds r JOIN payments p ON p.id = r.payment_id
     JOIN bookings b ON b.id = p.booking_id WHERE b.facility_id = $1) AS refunds,
    (SELECT sum(u.entries_remaining) FROM user_subscriptions u
     JOIN subscriptions s ON s.id = u.subscription_id WHERE s.facility_id = $1) AS entries,
    (SELECT array_agg((s.id, s.status, s.current_booking)::text ORDER BY s.id)
     FROM parking_spots s JOIN zones z ON z.id = s.zone_id
     WHERE z.facility_id = $1) AS spot_states
"""


async def written(connection: asyncpg.Connection, facility: FacilityId) -> dict[str, object]:
    """What is written for the facility by now: the same before and after means nothing was."""
    row = await connection.fetchrow(WRITTEN, facility)
    assert row is not None
    return dict(row)


async def end_tariffs(connection: asyncpg.Connection, facility: FacilityId, at: datetime) -> None:
    """As if they had been ended in time: nobody may say so afterwards."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "UPDATE pricing_rules SET valid_until = $2 WHERE facility_id = $1", facility, at
        )


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
        self, event: EventId, lane: LaneId, stay: StayId | None, plate: Plate | None, at: datetime
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
            text="Grüß Gott\nfrom the test",
        )

    async def entry(
        self,
        plate: str | None = "BAB123",
        *,
        lane: LaneId | None = None,
        zone: ZoneId | None = None,
        at: datetime = NOW,
        vehicle: UUID | None = None,
        user: UUID | None = None,
        entitlement: Entitlement | None = None,
        again: StayId | None = None,
    ) -> AdmitRequest:
        """`plate` None: a vehicle on a ticket; `again` is then the stay it was granted before."""
        lane = lane or self.site.entry
        event = await self.happened(lane, at)
        stay = again or StayId(uuid4())
        read = None
        if plate is not None:
            read = PlateRead(Plate(plate), f"{plate} raw", confidence=0.5)
        return AdmitRequest(
            event=event,
            lane=lane,
            zone=zone or self.site.zone,
            stay=stay,
            read=read,
            at=at,
            reason=GrantReason.TRANSIENT if read is not None else GrantReason.TICKET,
            vehicle=vehicle,
            user=user,
            command=self.command(event, lane, stay, None if read is None else read.plate, at),
            entitlement=entitlement,
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

    async def move(
        self,
        stay: StayId,
        zone: ZoneId,
        plate: str = "BAB123",
        *,
        lane: LaneId,
        at: datetime = NOW + timedelta(minutes=10),
        anyway: bool = False,
    ) -> MoveRequest:
        event = await self.happened(lane, at)
        return MoveRequest(
            event=event,
            lane=lane,
            stay=stay,
            zone=zone,
            read=PlateRead(Plate(plate), f"{plate} raw", confidence=0.5),
            at=at,
            reason=GrantReason.STAY_OPEN,
            command=self.command(event, lane, stay, Plate(plate), at),
            anyway=anyway,
        )

    async def denial(
        self,
        reason: DenyReason = DenyReason.FULL_FACILITY,
        *,
        show: bool = True,
        at: datetime = NOW,
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
