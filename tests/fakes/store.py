"""The store in memory, for the actors' tests: it passes the same suite as the one on PostgreSQL.

Facilities are put in as values. What only a database can show (races, plans, lost connections)
is not imitated; `before` lets a test delay or fail any call.
"""

import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID, uuid4

from gated.core.effects import Do, Fault, FreeKind, Outcome, PassageKnown
from gated.core.errors import FencedOut, StoreError
from gated.core.events import CommandStatus, PlateRead, ZoneRefusal
from gated.core.facts import FactsRecord
from gated.core.ids import (
    CommandId,
    EventId,
    FacilityId,
    Fence,
    LaneId,
    Slug,
    SpotId,
    StayId,
    ZoneId,
)
from gated.core.money import EXPONENTS, Money
from gated.core.plates import Plate, normalise
from gated.core.reasons import DenyReason, GrantReason
from gated.core.signs import Room
from gated.core.site import Admits, Direction, FacilitySetup
from gated.core.snapshot import (
    AskedPayment,
    Entitlement,
    Group,
    Lapse,
    OpenStay,
    PendingPassage,
    PlateSnapshot,
    Reservation,
    Right,
    StayInside,
)
from gated.records import (
    AdmitAnswer,
    AdmitOutcome,
    AdmitRequest,
    AskRequest,
    Charge,
    Command,
    DenyRequest,
    EventStatus,
    FreeOutcome,
    FreePassage,
    FreePassageAnswer,
    InboxRow,
    LaneNote,
    MoveAnswer,
    MoveOutcome,
    MoveRequest,
    PaymentOutcome,
    PaymentTaken,
    PaymentTakenAnswer,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseRequest,
    SensorOutcome,
    SensorWord,
    SpotSeen,
    StandingFault,
    ZoneCount,
    ZoneCounted,
    ZoneDrift,
)
from tests.fakes.operations import MemoryOperations, Operations

SAME_VEHICLE_MAX = timedelta(minutes=15)
EARLY_MAX = timedelta(minutes=30)
GRACE = timedelta(minutes=15)
_BECAME = {
    SensorOutcome.NOTED: Outcome.NOTED,
    SensorOutcome.OLDER: Outcome.SUPERSEDED,
    SensorOutcome.UNKNOWN: Outcome.UNEXPECTED,
}
DAY = timedelta(days=1)
_FAULTS = frozenset(fault.value for fault in Fault)
_ENDS = frozenset(
    {
        CommandStatus.FAILED,
        CommandStatus.EXPIRED,
        CommandStatus.CANCELLED,
        CommandStatus.CONFIRMED,
    }
)


@dataclass(frozen=True, slots=True)
class FakeTariff:
    """A flat amount, or `amount` per started block of `block_minutes`; free minutes deducted."""

    amount: Decimal = Decimal("2.50")
    block_minutes: int | None = 60
    free_minutes: int = 0
    valid_from: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class FakeVehicle:
    """A registered vehicle, or one that is only known to be blocked (no user)."""

    plate: Plate
    id: UUID = field(default_factory=uuid4)
    user: UUID | None = None
    blocked: bool = False


@dataclass(slots=True)
class FakeSubscription:
    """A user's subscription; `entries` None: any number."""

    user: UUID
    entries: int | None
    expires_at: datetime
    activated_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class FakeLimit:
    """How many stays of a group a zone, or (None) the facility, takes in; at all times."""

    zone: ZoneId | None
    group: Group
    stays_max: int


@dataclass(slots=True)
class Segment:
    """A row of `gate.stay_segments`; `spot` is its number and its id."""

    zone: ZoneId
    spot: tuple[str, SpotId] | None
    lane: LaneId | None
    begins_at: datetime
    known: PassageKnown | None = None


@dataclass(slots=True)
class Stay:
    """A row of `bookings`, as far as the gate writes it; CONFIRMED: a reservation until then.

    No plate: a vehicle that came in unread. No spot: none was left, and its zone counts it.
    """

    id: StayId
    plate: Plate | None
    zone: ZoneId
    spot: SpotId | None
    spot_number: str
    ticket: str
    entry_at: datetime
    entry_lane: LaneId | None
    status: str = "ACTIVE"
    until: datetime | None = None
    entitlement: Entitlement | None = None
    entry_known: PassageKnown | None = None
    exit_known: PassageKnown | None = None
    exit_at: datetime | None = None
    exit_lane: LaneId | None = None
    price: Money | None = None
    cancel_reason: str | None = None
    group: Group = Group.TRANSIENT
    segments: list[Segment] = field(default_factory=list)

    @property
    def bay(self) -> tuple[str, SpotId] | None:
        """The number and the id of its spot, if it has one."""
        return None if self.spot is None else (self.spot_number, self.spot)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A row of `gate.decisions`."""

    event: EventId
    lane: LaneId
    reason: GrantReason | DenyReason
    read: PlateRead | None
    at: datetime
    command: CommandId | None
    stay: StayId | None = None
    zone: ZoneId | None = None
    price: Money | None = None
    facts: FactsRecord | None = None


@dataclass(slots=True)
class CommandRow:
    """A row of `gate.commands`."""

    command: Command
    status: CommandStatus = CommandStatus.ACCEPTED
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Offence:
    """A row of `violations`."""

    kind: str
    penalty: Decimal
    plate: Plate | None
    stay: StayId | None
    at: datetime


@dataclass(slots=True)
class Event:
    """A row of `gate.events`."""

    row: InboxRow
    status: EventStatus
    outcome: Outcome | None = None
    error: str | None = None


# Amount, currency, provider and transaction.
Paid = tuple[Decimal, str, str, str]


@dataclass(frozen=True, slots=True)
class Telling:
    """A row of `payments`, and what it was for."""

    id: UUID
    paid: Paid
    stay: Stay


def _is_new(event: Event) -> bool:
    return event.status is EventStatus.NEW


def _money(payment: PaymentTaken) -> Paid:
    return payment.amount, payment.currency, payment.provider, payment.txn


@dataclass(slots=True)
class Facility:
    """All that the database holds for one facility; tests read it freely."""

    setup: FacilitySetup
    free: dict[ZoneId, list[tuple[str, SpotId]]]
    tariffs: list[FakeTariff]
    holder: str | None = None
    fence: int = 0
    expires_at: float = 0.0
    keys: dict[str, EventId] = field(default_factory=dict)
    events: dict[EventId, Event] = field(default_factory=dict)
    stays: dict[StayId, Stay] = field(default_factory=dict)
    decisions: dict[EventId, DecisionRow] = field(default_factory=dict)
    commands: dict[CommandId, CommandRow] = field(default_factory=dict)
    cancelled: set[tuple[StayId, datetime, UUID]] = field(default_factory=set)
    limits: list[FakeLimit] = field(default_factory=list)
    reconciled: list[tuple[str, StayId]] = field(default_factory=list)
    subscriptions: list[FakeSubscription] = field(default_factory=list)
    staff: set[UUID] = field(default_factory=set)
    asked: list[AskRequest] = field(default_factory=list)
    paid: dict[StayId, Decimal] = field(default_factory=dict)
    paid_up: dict[StayId, datetime] = field(default_factory=dict)
    tellings: list[Telling] = field(default_factory=list)
    passages: dict[EventId, tuple[FreePassage, FreePassageAnswer]] = field(default_factory=dict)
    notes: dict[UUID, LaneNote] = field(default_factory=dict)
    penalties: dict[str, Decimal] = field(default_factory=dict)
    violations: list[Offence] = field(default_factory=list)
    reconciliations: list[tuple[str, FreePassage]] = field(default_factory=list)
    operations: Operations = field(default_factory=Operations)
    zone_counts: dict[ZoneId, ZoneCounted] = field(default_factory=dict)
    spot_states: dict[tuple[ZoneId, str], SpotSeen] = field(default_factory=dict)
    drift_count_max: int = 5

    def charged(self, stay: Stay, price: Money) -> Money:
        """The price without what was waived of it."""
        waived = min(self.operations.waived.get(stay.id, Decimal(0)), price.amount)
        return replace(price, amount=price.amount - waived)

    def told(self, payment: UUID, paid: Paid) -> Telling | None:
        """What was told before by its id, or of its transaction."""
        found = (one for one in self.tellings if one.id == payment or one.paid[2:] == paid[2:])
        return next(found, None)

    def tell(self, payment: UUID, paid: Paid, stay: Stay) -> None:
        self.tellings.append(Telling(payment, paid, stay))

    def to_pay(self, payment: PaymentTaken) -> Stay | None:
        """The stay of the ticket; without one, of the plate: the open one, or one to come."""
        if payment.ticket is not None:
            found = (stay for stay in self.stays.values() if stay.ticket == payment.ticket)
            return next(found, None)
        plate = normalise(payment.plate) if payment.plate else None
        stays = [stay for stay in self.stays.values() if plate is not None and stay.plate == plate]
        live = [stay for stay in stays if stay.status in ("ACTIVE", "CONFIRMED")]
        owing = [stay for stay in stays if (due := self.due(stay, stay.price)) and due.amount]
        return next(iter([*sorted(live, key=lambda stay: stay.status), *owing]), None)

    def zone_of(self, slug: Slug) -> ZoneId | None:
        return next((zone.id for zone in self.setup.zones if zone.slug == slug), None)

    def spot_numbers(self, zone: ZoneId) -> set[str]:
        taken = {
            stay.spot_number
            for stay in self.stays.values()
            if stay.zone == zone and stay.spot and stay.status in ("ACTIVE", "CONFIRMED")
        }
        return taken | {number for number, _ in self.free[zone]}

    def sensed(self, zone: ZoneId, at: datetime) -> int | None:
        """The zone's own counter is believed for a day; else the spots count, if all of them do."""
        count = self.zone_counts.get(zone)
        if count is not None and count.at > at - timedelta(days=1):
            return count.occupied
        numbers = self.spot_numbers(zone)
        seen = [word for (where, _), word in self.spot_states.items() if where == zone]
        if not numbers or len(seen) < len(numbers):
            return None
        return sum(word.occupied for word in seen)

    def due(self, stay: Stay | None, price: Money | None) -> Money | None:
        """What of the price was not paid."""
        if stay is None or price is None:
            return None
        return replace(price, amount=max(price.amount - self.paid.get(stay.id, 0), Decimal(0)))

    def open_stay(self, plate: Plate) -> Stay | None:
        return next(
            (s for s in self.stays.values() if s.plate == plate and s.status == "ACTIVE"), None
        )

    def reservation(self, plate: Plate, at: datetime) -> Stay | None:
        """The one whose vehicle may come now."""
        return next(
            (
                stay
                for stay in self.stays.values()
                if stay.plate == plate and stay.status == "CONFIRMED" and _due(stay, at)
            ),
            None,
        )

    def subscription(self, user: UUID | None, at: datetime) -> FakeSubscription | None:
        """One that is valid and not used up."""
        return next(
            (
                one
                for one in self.subscriptions
                if one.user == user and one.activated_at <= at < one.expires_at and one.entries != 0
            ),
            None,
        )

    def lapsed(self, plate: Plate, user: UUID | None, at: datetime) -> Lapse | None:
        """Why the right that was there last does not hold."""
        found = [
            (Lapse.NOT_DUE if at < stay.entry_at else Lapse.EXPIRED, min(at, stay.until))
            for stay in self.stays.values()
            if stay.plate == plate and stay.status == "CONFIRMED" and stay.until is not None
            if stay.entry_at < at + DAY
        ]
        found += [
            (Lapse.USED_UP, min(at, stay.until))
            for stay in self.stays.values()
            if stay.plate == plate and stay.status == "COMPLETED" and stay.until is not None
            if stay.until > at - DAY
        ]
        for one in self.subscriptions:
            if one.user == user:
                expired = Lapse.EXPIRED if at >= one.expires_at else Lapse.USED_UP
                why = Lapse.NOT_DUE if at < one.activated_at else expired
                found.append((why, min(at, one.expires_at)))
        order = [Lapse.EXPIRED, Lapse.NOT_DUE, Lapse.USED_UP]
        return max(found, key=lambda one: (one[1], order.index(one[0])), default=(None, at))[0]

    def use(self, right: Entitlement | None, at: datetime) -> AdmitOutcome | None:
        """Take an entry where one is to be taken; the refusal, if it cannot be."""
        if right is None or right.right is not Right.SUBSCRIPTION:
            return None
        one = next((one for one in self.subscriptions if one.id == right.id), None)
        if one is None or at >= one.expires_at:
            return AdmitOutcome.RIGHT_EXPIRED
        if one.entries == 0:
            return AdmitOutcome.RIGHT_USED_UP
        if one.entries is not None:
            one.entries -= 1
        return None

    def room(self, limit: FakeLimit) -> Room:
        """How many more stays of its group the limit takes in."""
        inside = sum(
            1
            for stay in self.stays.values()
            if stay.status == "ACTIVE"
            and stay.group is limit.group
            and limit.zone in (None, stay.zone)
        )
        return Room(max(0, limit.stays_max - inside), limit.stays_max)

    def refusal(self, zone: ZoneId, group: Group, *, moves: bool = False) -> ZoneRefusal | None:
        """Why the limits let no more stays of the group into the zone."""
        there = [
            limit
            for limit in self.limits
            if limit.group is group and (limit.zone == zone or (limit.zone is None and not moves))
        ]
        for limit in sorted(there, key=lambda one: one.zone is not None):
            if limit.stays_max == 0:
                return ZoneRefusal.GROUP_NOT_PERMITTED
            if self.room(limit).free == 0:
                whole = limit.zone is None
                return ZoneRefusal.FACILITY_GROUP_FULL if whole else ZoneRefusal.GROUP_FULL
        return None

    def place(self, stay: Stay, zone: ZoneId, spot: tuple[str, SpotId] | None) -> None:
        """The stay has this free spot of the zone, or is there without one; its earlier is free."""
        if spot is not None:
            self.free[zone].remove(spot)
        self.give_back(stay)
        stay.zone = zone
        stay.spot_number, stay.spot = ("", None) if spot is None else spot
        if spot is None:
            self.reconciled.append(("over_capacity", stay.id))

    def give_back(self, stay: Stay) -> None:
        if stay.spot is None:
            return
        self.free[stay.zone].append((stay.spot_number, stay.spot))
        self.free[stay.zone].sort(key=lambda spot: _natural(spot[0]))

    def decide(
        self, row: DecisionRow, command: Command | None, again: EventId | None = None
    ) -> None:
        if again is not None:
            kept = replace(
                self.events[again].row,
                id=row.event,
                key=f"again/{row.event}",
                kind="again",
                received_at=row.at,
            )
            self.events[row.event] = Event(kept, EventStatus.NEW)
        self.decisions[row.event] = row
        event = self.events[row.event]
        event.status, event.outcome = EventStatus.DONE, Outcome.DECIDED
        if command is not None:
            on_ticket = command.do is Do.OPEN and command.plate is None and row.stay is not None
            ticket = self.stays[row.stay].ticket if on_ticket and row.stay else ""
            stay = row.stay or command.stay
            self.commit(replace(command, stay=stay, price=row.price, ticket=ticket))

    def end_commands(self, stay: StayId, lane: LaneId | None) -> None:
        """What this lane was to be told for the stay is not sent any more."""
        for row in self.commands.values():
            mine = (row.command.stay, row.command.lane) == (stay, lane)
            if mine and row.status is CommandStatus.ACCEPTED:
                row.status = CommandStatus.CANCELLED

    def commit(self, command: Command) -> None:
        status = CommandStatus.DISPATCHED if command.taken else CommandStatus.ACCEPTED
        self.commands[command.id] = CommandRow(command, status)


class MemoryStore(MemoryOperations):
    """`gated.ports.Store` without a database. `seconds` is the clock of the leases."""

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self.facilities: dict[FacilityId, Facility] = {}
        self.vehicles: list[FakeVehicle] = []
        self.before: Callable[[str], Awaitable[None]] | None = None
        self._seconds = seconds
        self._tickets = 0

    def add_facility(
        self,
        setup: FacilitySetup,
        spots: Mapping[ZoneId, Sequence[str]],
        tariffs: Sequence[FakeTariff] = (FakeTariff(),),
    ) -> Facility:
        """Put a facility in; `spots` are the numbers of each zone's spots."""
        free = {
            zone.id: sorted(
                ((number, SpotId(uuid4())) for number in spots.get(zone.id, ())),
                key=lambda spot: _natural(spot[0]),
            )
            for zone in setup.zones
        }
        facility = Facility(setup, free, list(tariffs))
        self.facilities[setup.id] = facility
        return facility

    # ── facilities and leases ───────────────────────────────────────────────────────────────

    async def facility_ids(self) -> Sequence[FacilityId]:
        await self._called("facility_ids")
        return list(self.facilities)

    async def facility_setup(self, facility: FacilityId) -> FacilitySetup:
        await self._called("facility_setup")
        if facility not in self.facilities:
            raise StoreError(f"facility {facility} is not set up", retryable=False)
        return self.facilities[facility].setup

    async def pending_passages(
        self, facility: FacilityId, since: datetime
    ) -> Sequence[PendingPassage]:
        await self._called("pending_passages")
        there = self.facilities[facility]
        newest: dict[StayId, DecisionRow] = {}
        for decision in sorted(there.decisions.values(), key=lambda row: row.at):
            if decision.stay is not None and decision.at >= since:
                newest[decision.stay] = decision
        passages = [
            PendingPassage(
                lane=decision.lane,
                stay=stay.id,
                zone=decision.zone or stay.zone,
                plate=stay.plate,
                command=decision.command,
                event=decision.event,
                granted_at=decision.at,
            )
            for stay, decision in ((there.stays[stay], row) for stay, row in newest.items())
            if _pending(stay, decision.lane)
        ]
        return sorted(passages, key=lambda one: one.granted_at)

    async def asked_payments(self, facility: FacilityId) -> Sequence[AskedPayment]:
        await self._called("asked_payments")
        there = self.facilities[facility]
        asked: list[AskedPayment] = []
        for event in (one.row.id for one in there.events.values() if _is_new(one)):
            requests = [one for one in there.asked if one.event == event]
            stay = there.stays[requests[-1].stay] if requests else None
            if stay is None or stay.status != "ACTIVE" or stay.plate is None:
                continue
            last = requests[-1]
            inside = StayInside(stay.id, stay.plate, stay.entry_at, stay.zone)
            since = min(one.at for one in requests)
            asked.append(AskedPayment(last.lane, event, inside, last.due, since))
        return asked

    async def standing_faults(self, facility: FacilityId) -> Sequence[StandingFault]:
        await self._called("standing_faults")
        standing: dict[tuple[LaneId, str], StandingFault] = {}
        notes = self.facilities[facility].notes.values()
        for note in sorted(notes, key=lambda one: (one.at, one.name)):
            if note.name == "fault_raised" and note.detail in _FAULTS:
                fault = StandingFault(note.lane, Fault(note.detail), note.at)
                standing[note.lane, note.detail] = fault
            elif note.name == "fault_cleared":
                standing.pop((note.lane, note.detail), None)
        return sorted(standing.values(), key=lambda one: one.since)

    async def acquire_lease(
        self, facility: FacilityId, holder: str, ttl_seconds: float
    ) -> tuple[Fence, int] | None:
        await self._called("acquire_lease")
        there, now = self.facilities[facility], self._seconds()
        lives = there.holder is not None and there.expires_at > now
        if lives and there.holder != holder:
            return None
        if not lives:
            there.fence += 1
        there.holder, there.expires_at = holder, now + ttl_seconds
        return Fence(there.fence), there.setup.revision

    async def renew_lease(
        self, facility: FacilityId, holder: str, fence: Fence, ttl_seconds: float
    ) -> int:
        await self._called("renew_lease")
        there = self._fenced(facility, fence)
        if there.holder != holder:
            raise FencedOut(f"the lease of facility {facility} is lost")
        there.expires_at = self._seconds() + ttl_seconds
        return there.setup.revision

    async def release_lease(self, facility: FacilityId, holder: str, fence: Fence) -> None:
        await self._called("release_lease")
        there = self.facilities[facility]
        if (there.holder, there.fence) == (holder, fence):
            there.holder = None

    # ── inbox ───────────────────────────────────────────────────────────────────────────────

    async def append_events(
        self, facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
    ) -> Sequence[bool]:
        await self._called("append_events")
        there = self._fenced(facility, fence)
        new = []
        for row in rows:
            first = there.keys.setdefault(f"{row.device or '-'}/{row.key}", row.id) == row.id
            if first:
                there.events.setdefault(row.id, Event(row, row.status))
            new.append(first)
        return new

    async def pending_events(self, facility: FacilityId, limit: int) -> Sequence[InboxRow]:
        await self._called("pending_events")
        events = self.facilities[facility].events.values()
        return [event.row for event in events if event.status is EventStatus.NEW][:limit]

    async def recent_inputs(
        self, facility: FacilityId, since: datetime, limit: int
    ) -> Sequence[InboxRow]:
        await self._called("recent_inputs")
        by_lane: dict[LaneId | None, list[InboxRow]] = {}
        for event in self.facilities[facility].events.values():
            row = event.row
            settled = event.status is EventStatus.DONE
            if row.kind == "input" and settled and row.received_at >= since:
                by_lane.setdefault(row.lane, []).append(row)
        recent = {row.id for rows in by_lane.values() for row in rows[-limit:]}
        events = self.facilities[facility].events.values()
        return [event.row for event in events if event.row.id in recent]

    async def settle_events(
        self, facility: FacilityId, fence: Fence, outcomes: Sequence[tuple[EventId, Outcome]]
    ) -> None:
        await self._called("settle_events")
        there = self._fenced(facility, fence)
        for event_id, outcome in outcomes:
            event = there.events.get(event_id)
            if event is not None and event.status is EventStatus.NEW:
                event.status, event.outcome = EventStatus.DONE, outcome

    # ── decisions ───────────────────────────────────────────────────────────────────────────

    async def plate_snapshot(
        self,
        facility: FacilityId,
        plate: Plate | None,
        direction: Direction,
        at: datetime,
        lanes: Sequence[LaneId] = (),
    ) -> PlateSnapshot:
        await self._called("plate_snapshot")
        there = self.facilities[facility]
        if plate is None:
            available = {zone: len(free) for zone, free in there.free.items()}
            return PlateSnapshot(plate, at, available=available)
        known = [vehicle for vehicle in self.vehicles if vehicle.plate == plate]
        vehicle = next(iter(sorted(known, key=lambda one: one.user is None)), None)
        stay = there.open_stay(plate)
        price = None
        if direction is Direction.EXIT:
            if stay is not None:
                price = self._price(there, stay, at)
            else:
                stay = next(
                    (s for s in there.stays.values() if s.plate == plate and _released(s, at)),
                    None,
                )
                price = stay.price if stay is not None else None
        user = vehicle.user if vehicle else None
        entering = direction is Direction.ENTRY
        reservation = there.reservation(plate, at) if entering else None
        valid = there.subscription(user, at) if entering and user else None
        subscription = valid.id if valid is not None else None
        staff = entering and user in there.staff
        again = stay if entering and stay and _is_awaited(stay, lanes, at) else None
        if again is not None and again.spot is not None and (given := again.entitlement):
            reservation = again if given.right is Right.RESERVATION else None
            subscription = given.id if given.right is Right.SUBSCRIPTION else None
            staff = given.right is Right.STAFF
        asks = any(lane.policy.admits is not Admits.EVERYONE for lane in there.setup.lanes)
        no_right = asks and not (reservation or subscription or staff)
        return PlateSnapshot(
            plate=plate,
            at=at,
            vehicle=vehicle.id if vehicle else None,
            user=user,
            blocked=any(one.blocked for one in known),
            open_stay=None if stay is None else _open_stay(stay),
            price=price,
            available={zone: len(free) for zone, free in there.free.items()},
            due=there.due(stay, price),
            reservation=Reservation(reservation.id, reservation.zone) if reservation else None,
            subscription=subscription,
            staff=staff,
            lapsed=there.lapsed(plate, user, at) if entering and no_right else None,
        )

    async def admit(self, facility: FacilityId, fence: Fence, request: AdmitRequest) -> AdmitAnswer:
        await self._called("admit")
        there = self._fenced(facility, fence)
        if self._status(there, request) is not EventStatus.NEW:
            decision = there.decisions.get(request.event)
            if decision and decision.stay and decision.command == request.command.id:
                return self._admitted(there, there.stays[decision.stay])
            return AdmitAnswer(AdmitOutcome.EVENT_DONE, len(there.free[request.zone]))
        if request.read is None:
            stay = there.stays.get(request.stay)
        else:
            stay = there.open_stay(request.read.plate)
        lanes = {request.lane, request.vacated}
        if stay is not None and not _is_awaited(stay, lanes, request.at):
            return AdmitAnswer(AdmitOutcome.ALREADY_INSIDE, len(there.free[request.zone]))
        if stay is None:
            begun = self._begin(there, request)
            if isinstance(begun, AdmitOutcome):
                return AdmitAnswer(begun, len(there.free[request.zone]))
            stay = begun
        if stay.entry_lane != request.lane:
            there.end_commands(stay.id, stay.entry_lane)
            stay.entry_lane = request.lane
        there.decide(
            DecisionRow(
                event=request.event,
                lane=request.lane,
                reason=request.reason,
                read=request.read,
                at=request.at,
                command=request.command.id,
                facts=request.facts,
                stay=stay.id,
                zone=stay.zone,
            ),
            request.command,
            request.again,
        )
        return self._admitted(there, stay)

    async def release(
        self, facility: FacilityId, fence: Fence, request: ReleaseRequest
    ) -> ReleaseAnswer:
        await self._called("release")
        there = self._fenced(facility, fence)
        if self._event(there, request.event).status is not EventStatus.NEW:
            decision = there.decisions.get(request.event)
            if decision and decision.stay and decision.command == request.command.id:
                return self._released(there, there.stays[decision.stay])
            return ReleaseAnswer(ReleaseOutcome.EVENT_DONE)
        stay = there.stays.get(request.stay)
        if stay is None or not (stay.status == "ACTIVE" or _released(stay, request.at)):
            return ReleaseAnswer(ReleaseOutcome.NO_OPEN_STAY)
        if stay.status == "ACTIVE":
            stay.price = self._price(there, stay, request.at)
            stay.status, stay.exit_at = "COMPLETED", request.at
            there.give_back(stay)
        stay.exit_lane = request.lane
        there.decide(
            DecisionRow(
                event=request.event,
                lane=request.lane,
                reason=request.reason,
                read=request.read,
                at=request.at,
                command=request.command.id,
                facts=request.facts,
                stay=stay.id,
                zone=stay.zone,
                price=stay.price,
            ),
            request.command,
        )
        return self._released(there, stay)

    async def move_stay(
        self, facility: FacilityId, fence: Fence, request: MoveRequest
    ) -> MoveAnswer:
        await self._called("move_stay")
        there = self._fenced(facility, fence)
        free = there.free[request.zone]
        if self._status(there, request) is not EventStatus.NEW:
            decision = there.decisions.get(request.event)
            if decision and decision.stay and decision.command == request.command.id:
                return self._moved(there, there.stays[decision.stay], decision.zone)
            return MoveAnswer(MoveOutcome.EVENT_DONE, len(free))
        stay = there.stays.get(request.stay)
        if stay is None or stay.status != "ACTIVE":
            return MoveAnswer(MoveOutcome.NO_OPEN_STAY, len(free))
        last = stay.segments[-1] if len(stay.segments) > 1 else None
        again = (
            last is not None
            and (last.lane, last.known) == (request.lane, None)
            and last.begins_at > request.at - SAME_VEHICLE_MAX
        )
        if not again:
            elsewhere = stay.zone != request.zone
            if (elsewhere or stay.spot is None) and not request.anyway:
                refusal = there.refusal(request.zone, stay.group, moves=True)
                if refusal is not None or not free:
                    return MoveAnswer(refusal or ZoneRefusal.FULL, len(free))
            self._move_on(there, stay, request.zone, request.lane, request.at)
        zone = stay.segments[-1].zone
        there.decide(
            DecisionRow(
                event=request.event,
                lane=request.lane,
                reason=request.reason,
                read=request.read,
                at=request.at,
                command=request.command.id,
                facts=request.facts,
                stay=stay.id,
                zone=zone,
            ),
            request.command,
            request.again,
        )
        return self._moved(there, stay, zone)

    @staticmethod
    def _move_on(there: Facility, stay: Stay, zone: ZoneId, lane: LaneId, at: datetime) -> None:
        stay.entry_known = stay.entry_known or PassageKnown.ASSUMED
        if not stay.segments:
            first = Segment(stay.zone, stay.bay, stay.entry_lane, stay.entry_at, stay.entry_known)
            stay.segments.append(first)
        if stay.zone != zone or stay.spot is None:
            there.place(stay, zone, next(iter(there.free[zone]), None))
        stay.segments.append(Segment(zone, stay.bay, lane, at))

    @staticmethod
    def _moved(there: Facility, stay: Stay, zone: ZoneId | None) -> MoveAnswer:
        available = len(there.free[zone or stay.zone])
        return MoveAnswer(MoveOutcome.MOVED, available, zone, stay.spot, stay.spot_number)

    async def deny(self, facility: FacilityId, fence: Fence, request: DenyRequest) -> bool:
        await self._called("deny")
        there = self._fenced(facility, fence)
        row = DecisionRow(
            event=request.event,
            lane=request.lane,
            reason=request.reason,
            read=request.read,
            at=request.at,
            command=request.command.id if request.command else None,
            facts=request.facts,
        )
        if self._status(there, request) is not EventStatus.NEW:
            return there.decisions.get(request.event) == row
        there.decide(row, request.command, request.again)
        return True

    async def ask_payment(self, facility: FacilityId, fence: Fence, request: AskRequest) -> bool:
        await self._called("ask_payment")
        there = self._fenced(facility, fence)
        command = request.command
        if self._event(there, request.event).status is not EventStatus.NEW:
            return False
        if command is not None:
            if command.id in there.commands:
                return True
            there.commit(command)
        there.asked.append(request)
        return True

    async def open_stays(self, facility: FacilityId) -> Sequence[StayInside]:
        await self._called("open_stays")
        return [
            StayInside(stay.id, stay.plate, stay.entry_at, stay.zone)
            for stay in self.facilities[facility].stays.values()
            if stay.status == "ACTIVE" and stay.plate is not None
        ]

    async def take_payment(
        self, facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> PaymentTakenAnswer:
        await self._called("take_payment")
        return self._paid(self._fenced(facility, fence), event, payment)

    def _paid(self, there: Facility, event: EventId, payment: PaymentTaken) -> PaymentTakenAnswer:
        row = self._event(there, event)
        told = there.told(payment.id, _money(payment))
        if row.status is not EventStatus.NEW:
            if row.outcome is Outcome.REFUSED:
                return PaymentTakenAnswer(PaymentOutcome(str(row.error)))
            if row.outcome is Outcome.FAILED:
                return PaymentTakenAnswer(PaymentOutcome.FAILED)
            if told is None or row.outcome not in (Outcome.DECIDED, Outcome.TOLD_BEFORE):
                return PaymentTakenAnswer(PaymentOutcome.EVENT_DONE)
            answer = self._taken(there, payment)
            if row.outcome is Outcome.TOLD_BEFORE and answer.outcome.counted:
                answer = replace(answer, outcome=PaymentOutcome.TOLD_BEFORE)
            return answer
        answer = self._taken(there, payment)
        if told is not None and answer.outcome.counted:
            answer = replace(answer, outcome=PaymentOutcome.TOLD_BEFORE)
        row.status = EventStatus.DONE
        match answer.outcome:
            case PaymentOutcome.PAID | PaymentOutcome.PART_PAID:
                row.outcome = Outcome.DECIDED
            case PaymentOutcome.TOLD_BEFORE:
                row.outcome = Outcome.TOLD_BEFORE
            case refused:
                row.outcome, row.error = Outcome.REFUSED, refused.value
        return answer

    async def give_up_payment(
        self, facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> bool:
        await self._called("give_up_payment")
        row = self._event(self._fenced(facility, fence), event)
        if row.status is not EventStatus.NEW:
            return False
        row.status, row.outcome = EventStatus.DONE, Outcome.FAILED
        return True

    async def payment_again(
        self, facility: FacilityId, fence: Fence, payment: PaymentTaken
    ) -> PaymentTakenAnswer | None:
        await self._called("payment_again")
        there = self._fenced(facility, fence)
        event = there.keys.get(f"-/{payment.key}")
        if event is None or there.events[event].status is not EventStatus.DONE:
            return None
        return self._paid(there, event, payment)

    def _taken(self, there: Facility, payment: PaymentTaken) -> PaymentTakenAnswer:
        """Count it, if it is new, for the stay that it is meant for."""
        told, found = there.told(payment.id, _money(payment)), there.to_pay(payment)
        if told is not None:
            stay = told.stay
            plate = normalise(payment.plate) if payment.plate else None
            same = stay.ticket == payment.ticket if payment.ticket else stay.plate == plate
            if not same or told.paid != _money(payment):
                return PaymentTakenAnswer(PaymentOutcome.TOLD_DIFFERENTLY)
            price = stay.price
            if stay.status == "ACTIVE" or price is None:
                price = self._price(there, stay, max(payment.at, stay.entry_at))
            due = there.due(stay, price)
            assert due is not None
            if stay.status == "CANCELLED":
                due = replace(due, amount=Decimal(0))
        elif found is None:
            return PaymentTakenAnswer(PaymentOutcome.BOOKING_UNKNOWN)
        elif found.status == "CANCELLED":
            return PaymentTakenAnswer(PaymentOutcome.BOOKING_ENDED)
        elif payment.currency != there.setup.currency:
            return PaymentTakenAnswer(PaymentOutcome.CURRENCY_MISMATCH)
        elif payment.amount <= 0 or payment.amount != round(
            payment.amount, EXPONENTS[payment.currency]
        ):
            return PaymentTakenAnswer(PaymentOutcome.AMOUNT_INVALID)
        else:
            stay = found
            due = self._count(there, stay, payment.amount, payment.at)
            there.tell(payment.id, _money(payment), stay)
        grace, paid_at = None, there.paid_up.get(stay.id)
        if paid_at is not None and not due.amount and paid_at + GRACE > payment.at:
            grace = paid_at + GRACE
        outcome = PaymentOutcome.PART_PAID if due.amount else PaymentOutcome.PAID
        return PaymentTakenAnswer(outcome, stay.ticket, due, grace)

    async def note_sensor(
        self,
        facility: FacilityId,
        fence: Fence,
        event: EventId,
        word: SensorWord,
        heard_at: datetime,
    ) -> SensorOutcome:
        await self._called("note_sensor")
        there = self._fenced(facility, fence)
        row = self._event(there, event)
        if row.status is not EventStatus.NEW:
            return SensorOutcome.EVENT_DONE
        outcome = self._noted(there, word)
        row.status, row.outcome = EventStatus.DONE, _BECAME[outcome]
        return outcome

    @staticmethod
    def _noted(there: Facility, word: SensorWord) -> SensorOutcome:
        zone = there.zone_of(word.zone)
        if zone is None:
            return SensorOutcome.UNKNOWN
        before: SensorWord | None
        match word:
            case ZoneCounted():
                before = there.zone_counts.get(zone)
                if before is None or word.at >= before.at:
                    there.zone_counts[zone] = word
                    return SensorOutcome.NOTED
            case SpotSeen():
                if word.number not in there.spot_numbers(zone):
                    return SensorOutcome.UNKNOWN
                before = there.spot_states.get((zone, word.number))
                if before is None or word.at >= before.at:
                    there.spot_states[zone, word.number] = word
                    return SensorOutcome.NOTED
        return SensorOutcome.OLDER

    async def complete_passage(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        known: PassageKnown,
        at: datetime,
        correlation: UUID,
    ) -> None:
        await self._called("complete_passage")
        there = self._fenced(facility, fence)
        found = there.stays.get(stay)
        if found is None or found.status == "CANCELLED":
            return
        if found.entry_lane == lane and found.entry_known is None:
            found.entry_known = known
        elif found.exit_lane == lane and found.exit_known is None:
            found.exit_known = known
        else:
            for segment in found.segments[1:]:
                if segment.lane == lane and segment.known is None:
                    segment.known = known

    async def cancel_admission(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        reason: str,
        at: datetime,
        correlation: UUID,
    ) -> int | None:
        await self._called("cancel_admission")
        there = self._fenced(facility, fence)
        found = there.stays.get(stay)
        if found is None:
            return None
        own = found.entry_lane == lane
        if found.status == "ACTIVE" and found.entry_known is None and own:
            there.cancelled.add((stay, at, correlation))
            self._undo(there, found, reason)
            for row in there.commands.values():
                if row.command.stay == stay and row.status is CommandStatus.ACCEPTED:
                    row.status = CommandStatus.CANCELLED
        elif (stay, at, correlation) not in there.cancelled:
            return None
        return len(there.free[found.zone])

    async def cancel_move(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        reason: str,
        at: datetime,
        correlation: UUID,
    ) -> int | None:
        await self._called("cancel_move")
        there = self._fenced(facility, fence)
        found = there.stays.get(stay)
        if found is None:
            return None
        last = found.segments[-1] if len(found.segments) > 1 else None
        if found.status == "ACTIVE" and last and (last.lane, last.known) == (lane, None):
            there.cancelled.add((stay, at, correlation))
            del found.segments[-1]
            self._move_back(there, found, found.segments[-1])
            for row in there.commands.values():
                mine = (row.command.stay, row.command.lane) == (stay, lane)
                if mine and row.status is CommandStatus.ACCEPTED:
                    row.status = CommandStatus.CANCELLED
        elif (stay, at, correlation) not in there.cancelled:
            return None
        return len(there.free[found.segments[-1].zone])

    async def resume_stay(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        reason: str,
        at: datetime,
        correlation: UUID,
    ) -> ZoneId | None:
        await self._called("resume_stay")
        there = self._fenced(facility, fence)
        found = there.stays.get(stay)
        if found is None:
            return None
        if not _pending_exit(found, lane):
            return found.zone if (stay, at, correlation) in there.cancelled else None
        if found.plate is not None and there.open_stay(found.plate) is not None:
            return None
        there.cancelled.add((stay, at, correlation))
        free = there.free[found.zone]
        spot = found.bay if found.bay in free else next(iter(free), None)
        if spot is None:
            there.reconciled.append(("over_capacity", stay))
        else:
            free.remove(spot)
        found.spot_number, found.spot = ("", None) if spot is None else spot
        if found.segments:
            found.segments[-1].spot = spot
        found.status = "ACTIVE"
        found.exit_at, found.exit_lane, found.price = None, None, None
        for row in there.commands.values():
            mine = (row.command.stay, row.command.lane) == (stay, lane)
            if mine and row.status is CommandStatus.ACCEPTED:
                row.status = CommandStatus.CANCELLED
        return found.zone

    @staticmethod
    def _move_back(there: Facility, stay: Stay, before: Segment) -> None:
        if before.spot is not None and before.spot == stay.bay:
            return
        free = there.free[before.zone]
        earlier = before.spot if before.spot in free else next(iter(free), None)
        there.place(stay, before.zone, earlier)
        before.spot = earlier

    @staticmethod
    def _undo(there: Facility, stay: Stay, reason: str) -> None:
        right, stay.entitlement = stay.entitlement, None
        if right is not None and right.right is Right.RESERVATION:
            stay.status, stay.entry_lane = "CONFIRMED", None
            return
        stay.status, stay.cancel_reason = "CANCELLED", reason
        there.give_back(stay)
        for one in there.subscriptions:
            if right is not None and one.id == right.id and one.entries is not None:
                one.entries += 1

    async def pass_freely(
        self, facility: FacilityId, fence: Fence, request: FreePassage
    ) -> FreePassageAnswer:
        await self._called("pass_freely")
        there = self._fenced(facility, fence)
        if request.passage in there.passages:
            _, told = there.passages[request.passage]
            return replace(told, outcome=FreeOutcome.DONE_BEFORE)
        match request.direction:
            case Direction.ENTRY:
                answer = self._entered(there, request)
            case Direction.EXIT:
                answer = self._left(there, request)
            case Direction.TRANSFER:
                answer = self._transferred(there, request)
        there.passages[request.passage] = request, answer
        owed = answer.stay is None or answer.due is None or answer.due.amount > 0
        if request.kind.offence and (owed or request.kind is not FreeKind.EXIT_WITHOUT_PAYMENT):
            there.violations.append(
                Offence(
                    request.kind.value,
                    there.penalties.get(request.kind.value, Decimal(0)),
                    request.read.plate if request.read else None,
                    answer.stay,
                    request.at,
                )
            )
        return answer

    def _entered(self, there: Facility, request: FreePassage) -> FreePassageAnswer:
        plate = request.read.plate if request.read else None
        inside = there.open_stay(plate) if plate else None
        if inside is not None:
            if _same_vehicle(inside, request):
                inside.entry_known = request.known
            else:
                there.reconciliations.append(("already_inside", request))
            return FreePassageAnswer(FreeOutcome.ALREADY_INSIDE, inside.id)
        lane = next(one for one in there.setup.lanes if one.id == request.lane)
        zone = next((zone for zone in lane.zones if there.free[zone]), None)
        number, spot = there.free[zone].pop(0) if zone else ("", None)
        if spot is None:
            there.reconciliations.append(("over_capacity", request))
        stay = Stay(
            id=request.stay,
            plate=plate,
            zone=zone or next(iter(lane.zones), there.setup.zones[0].id),
            spot=spot,
            spot_number=number,
            ticket=self._ticket(),
            entry_at=request.at,
            entry_lane=request.lane,
            entry_known=request.known,
        )
        there.stays[stay.id] = stay
        return FreePassageAnswer(FreeOutcome.STAY_OPENED, stay.id)

    @staticmethod
    def _transferred(there: Facility, request: FreePassage) -> FreePassageAnswer:
        plate = request.read.plate if request.read else None
        stay = there.open_stay(plate) if plate else None
        if stay is None:
            there.reconciliations.append(("transfer_unmatched", request))
            return FreePassageAnswer(FreeOutcome.NOBODY_KNOWN)
        last = stay.segments[-1] if len(stay.segments) > 1 else None
        if last is None or (last.lane, last.known) != (request.lane, None):
            lane = next(one for one in there.setup.lanes if one.id == request.lane)
            zone = next((one for one in lane.zones if there.free[one]), lane.zones[0])
            MemoryStore._move_on(there, stay, zone, request.lane, request.at)
        stay.segments[-1].known = request.known
        return FreePassageAnswer(FreeOutcome.STAY_MOVED, stay.id)

    def _left(self, there: Facility, request: FreePassage) -> FreePassageAnswer:
        plate = request.read.plate if request.read else None
        stay = there.open_stay(plate) if plate else None
        if stay is not None:
            charge = self._charge(there, stay.entry_at, max(stay.entry_at, request.at))
            right = stay.entitlement
            free = request.kind is FreeKind.EVACUATION or (
                right is not None and right.right is not Right.RESERVATION
            )
            stay.price = Money(Decimal(0) if free else charge.amount, charge.currency)
            stay.status, stay.exit_at = "COMPLETED", max(stay.entry_at, request.at)
            there.give_back(stay)
        elif plate is not None:
            stay = next(
                (s for s in there.stays.values() if s.plate == plate and _released(s, request.at)),
                None,
            )
        if stay is None:
            there.reconciliations.append(("exit_unmatched", request))
            return FreePassageAnswer(FreeOutcome.NOBODY_KNOWN)
        stay.exit_lane, stay.exit_known = request.lane, request.known
        return FreePassageAnswer(FreeOutcome.STAY_ENDED, stay.id, there.due(stay, stay.price))

    async def note_lane(self, facility: FacilityId, fence: Fence, note: LaneNote) -> None:
        await self._called("note_lane")
        self._fenced(facility, fence).notes.setdefault(note.id, note)

    async def zone_count(self, zone: ZoneId) -> ZoneCount:
        await self._called("zone_count")
        there = next(one for one in self.facilities.values() if zone in one.free)
        occupied = sum(
            1 for stay in there.stays.values() if stay.zone == zone and stay.status == "ACTIVE"
        )
        reserved = sum(
            1 for stay in there.stays.values() if stay.zone == zone and stay.status == "CONFIRMED"
        )
        spotless = sum(
            1
            for stay in there.stays.values()
            if stay.zone == zone and stay.status == "ACTIVE" and stay.spot is None
        )
        return ZoneCount(
            len(there.free[zone]) + occupied - spotless + reserved,
            occupied,
            reserved,
            rooms={one.group: there.room(one) for one in there.limits if one.zone == zone},
            facility_rooms={one.group: there.room(one) for one in there.limits if one.zone is None},
        )

    async def zone_drift(self, zone: ZoneId, at: datetime) -> ZoneDrift:
        await self._called("zone_drift")
        there = next(one for one in self.facilities.values() if zone in one.free)
        stays = sum(
            1 for stay in there.stays.values() if stay.zone == zone and stay.status == "ACTIVE"
        )
        return ZoneDrift(stays, stays, there.sensed(zone, at), there.drift_count_max)

    # ── outbox ──────────────────────────────────────────────────────────────────────────────

    async def send_command(self, facility: FacilityId, fence: Fence, command: Command) -> None:
        await self._called("send_command")
        there = self._fenced(facility, fence)
        if command.id not in there.commands:
            there.commit(command)

    async def dispatch_command(
        self, facility: FacilityId, fence: Fence, command: CommandId, at: datetime
    ) -> CommandStatus:
        await self._called("dispatch_command")
        row = self._command(self._fenced(facility, fence), command)
        if row.status is CommandStatus.DISPATCHED:
            return CommandStatus.UNKNOWN
        if row.status is CommandStatus.ACCEPTED:
            in_time = at < row.command.expires_at
            row.status = CommandStatus.DISPATCHED if in_time else CommandStatus.EXPIRED
        return row.status

    async def advance_command(
        self,
        facility: FacilityId,
        fence: Fence,
        command: CommandId,
        status: CommandStatus,
        error: str | None,
        at: datetime,
    ) -> CommandStatus:
        await self._called("advance_command")
        row = self._command(self._fenced(facility, fence), command)
        if _moves_on(row.status, status):
            row.status, row.error = status, error or row.error
        return row.status

    async def accepted_commands(self, facility: FacilityId) -> Sequence[Command]:
        await self._called("accepted_commands")
        rows = self.facilities[facility].commands.values()
        waiting = [row.command for row in rows if row.status is CommandStatus.ACCEPTED]
        return sorted(waiting, key=lambda command: (command.issued_at, command.id))

    async def expire_commands(
        self, facility: FacilityId, fence: Fence, at: datetime
    ) -> Sequence[tuple[CommandId, LaneId, CommandStatus]]:
        await self._called("expire_commands")
        ended = []
        for row in self._fenced(facility, fence).commands.values():
            if row.command.expires_at > at:
                continue
            if row.status is CommandStatus.ACCEPTED:
                row.status = CommandStatus.EXPIRED
            elif row.status is CommandStatus.DISPATCHED:
                row.status = CommandStatus.UNKNOWN
            else:
                continue
            ended.append((row.command.id, row.command.lane, row.status))
        return ended

    def _begin(self, there: Facility, request: AdmitRequest) -> Stay | AdmitOutcome:
        """A new stay, or why there is none."""
        plate = request.read.plate if request.read is not None else None
        right = request.entitlement
        group = _group(request)
        limited = there.refusal(request.zone, group)
        if limited is not None:
            return AdmitOutcome(limited)
        if right is not None and right.right is Right.RESERVATION:
            stay = next((one for one in there.stays.values() if one.id == right.id), None)
            if stay is None or stay.status != "CONFIRMED":
                return AdmitOutcome.BOOKING_NOT_OPEN
            if not _due(stay, request.at):
                return AdmitOutcome.BOOKING_NOT_DUE
            stay.status, stay.plate = "ACTIVE", plate
            stay.entry_at, stay.entry_lane = request.at, request.lane
            stay.entitlement = right
            return stay
        if not there.free[request.zone]:
            return AdmitOutcome.ZONE_FULL
        if (refusal := there.use(right, request.at)) is not None:
            return refusal
        number, spot = there.free[request.zone].pop(0)
        stay = Stay(
            id=request.stay,
            plate=plate,
            zone=request.zone,
            spot=spot,
            spot_number=number,
            ticket=self._ticket(),
            entry_at=request.at,
            entry_lane=request.lane,
            entitlement=right,
            group=group,
        )
        there.stays[stay.id] = stay
        return stay

    def reserve(
        self, facility: FacilityId, plate: Plate, zone: ZoneId, start: datetime, until: datetime
    ) -> Stay:
        """What `gate.reserve_v1` leaves behind: a booking that holds the first free spot."""
        there = self.facilities[facility]
        number, spot = there.free[zone].pop(0)
        stay = Stay(
            id=StayId(uuid4()),
            plate=plate,
            zone=zone,
            spot=spot,
            spot_number=number,
            ticket=self._ticket(),
            entry_at=start,
            entry_lane=None,
            status="CONFIRMED",
            until=until,
            group=Group.RESERVATION,
        )
        there.stays[stay.id] = stay
        return stay

    def _ticket(self) -> str:
        self._tickets += 1
        return f"T{self._tickets:06}"

    # ── helpers ─────────────────────────────────────────────────────────────────────────────

    async def _called(self, name: str) -> None:
        if self.before is not None:
            await self.before(name)

    def _fenced(self, facility: FacilityId, fence: Fence) -> Facility:
        there = self.facilities[facility]
        if there.fence != fence or there.holder is None:
            raise FencedOut(f"fence {fence} of facility {facility} is old")
        return there

    @staticmethod
    def _status(there: Facility, request: AdmitRequest | MoveRequest | DenyRequest) -> EventStatus:
        """As `gate.event_status_v1` has it: what is decided on once more is new without a row."""
        if request.again is None:
            return MemoryStore._event(there, request.event).status
        MemoryStore._event(there, request.again)
        known = there.events.get(request.event)
        return EventStatus.NEW if known is None else known.status

    @staticmethod
    def _event(there: Facility, event: EventId) -> Event:
        if event not in there.events:
            raise StoreError(f"unknown message {event}", retryable=False)
        return there.events[event]

    @staticmethod
    def _command(there: Facility, command: CommandId) -> CommandRow:
        if command not in there.commands:
            raise StoreError(f"unknown command {command}", retryable=False)
        return there.commands[command]

    @staticmethod
    def _admitted(there: Facility, stay: Stay) -> AdmitAnswer:
        return AdmitAnswer(
            outcome=AdmitOutcome.ADMITTED,
            available=len(there.free[stay.zone]),
            stay=stay.id,
            spot=stay.spot,
            spot_number=stay.spot_number,
            ticket=stay.ticket,
        )

    @staticmethod
    def _released(there: Facility, stay: Stay) -> ReleaseAnswer:
        return ReleaseAnswer(
            outcome=ReleaseOutcome.RELEASED,
            zone=stay.zone,
            available=len(there.free[stay.zone]),
            spot_number=stay.spot_number,
            price=stay.price,
            due=there.due(stay, stay.price),
        )

    def _price(self, there: Facility, stay: Stay, at: datetime) -> Money:
        """What an open stay costs. Within the grace after a payment it is what it was then."""
        right, paid_at = stay.entitlement, there.paid_up.get(stay.id)
        if paid_at is not None and at <= paid_at + GRACE:
            at = paid_at
        charge = self._charge(there, stay.entry_at, at)
        covered = right is not None and right.right is not Right.RESERVATION
        return there.charged(stay, Money(Decimal(0) if covered else charge.amount, charge.currency))

    def _count(self, there: Facility, stay: Stay, amount: Decimal, at: datetime) -> Money:
        """Money was paid for it; what is due by now. The last of it starts the grace to leave."""
        price = stay.price
        if stay.status == "ACTIVE" or price is None:
            price = self._price(there, stay, max(at, stay.entry_at))
        before = there.due(stay, price)
        there.paid[stay.id] = there.paid.get(stay.id, Decimal(0)) + amount
        after = there.due(stay, price)
        assert before is not None
        assert after is not None
        if before.amount and not after.amount and stay.status == "ACTIVE":
            there.paid_up[stay.id] = max(at, stay.entry_at)
        return after

    @staticmethod
    def _charge(there: Facility, entry_at: datetime, exit_at: datetime) -> Charge:
        if exit_at < entry_at:
            raise StoreError("negative stay", retryable=False)
        tariff = next((one for one in there.tariffs if one.valid_from <= entry_at), None)
        if tariff is None:
            raise StoreError("no pricing rule in force", retryable=False)
        free = timedelta(minutes=tariff.free_minutes)
        charged = max(timedelta(0), exit_at - entry_at - free)
        if tariff.block_minutes is not None:
            amount = tariff.amount * -(-charged // timedelta(minutes=tariff.block_minutes))
        else:
            amount = tariff.amount if charged or not free else Decimal(0)
        currency = there.setup.currency
        unit = Decimal(1).scaleb(-EXPONENTS[currency])
        amount = amount.quantize(unit, ROUND_HALF_UP)
        line: dict[str, object] = {"rule": str(tariff.id), "amount": str(amount)}
        return Charge(amount, currency, (tariff.id,), (line,))


def _group(request: AdmitRequest) -> Group:
    if request.entitlement is None:
        return Group.TRANSIENT if request.vehicle is None else Group.PERMIT_HOLDER
    if request.entitlement.right is Right.RESERVATION:
        return Group.RESERVATION
    return Group.PERMIT_HOLDER


def _natural(number: str) -> str:
    return re.sub(r"\d+", lambda digits: digits[0].zfill(10), number)


def _pending(stay: Stay, lane: LaneId) -> bool:
    if stay.status == "ACTIVE":
        moving = any((one.lane, one.known) == (lane, None) for one in stay.segments[1:])
        return moving or (stay.entry_lane == lane and stay.entry_known is None)
    return _pending_exit(stay, lane)


def _pending_exit(stay: Stay, lane: LaneId) -> bool:
    return stay.status == "COMPLETED" and stay.exit_lane == lane and stay.exit_known is None


def _same_vehicle(stay: Stay, request: FreePassage) -> bool:
    """Whether it was let in here and has not been seen passing until now."""
    return (
        stay.entry_lane == request.lane
        and stay.entry_known is None
        and stay.entry_at > request.at - SAME_VEHICLE_MAX
    )


def _due(stay: Stay, at: datetime) -> bool:
    return stay.until is not None and stay.entry_at - EARLY_MAX <= at < stay.until


def _is_awaited(stay: Stay, lanes: Collection[LaneId | None], at: datetime) -> bool:
    """Whether it was let in through one of the lanes a moment ago, and not seen passing."""
    return (
        stay.status == "ACTIVE"
        and stay.entry_lane in lanes
        and stay.entry_known is None
        and stay.entry_at > at - SAME_VEHICLE_MAX
    )


def _released(stay: Stay, at: datetime) -> bool:
    return (
        stay.status == "COMPLETED"
        and stay.exit_known is None
        and stay.exit_at is not None
        and stay.exit_at > at - SAME_VEHICLE_MAX
    )


def _open_stay(stay: Stay) -> OpenStay:
    return OpenStay(
        id=stay.id,
        entry_at=stay.entry_at,
        zone=stay.zone,
        spot=stay.spot,
        spot_number=stay.spot_number,
        ticket=stay.ticket,
        released=stay.status == "COMPLETED",
        group=stay.group,
    )


def _moves_on(stands: CommandStatus, wanted: CommandStatus) -> bool:
    order = [CommandStatus.ACCEPTED, CommandStatus.DISPATCHED, CommandStatus.ACKNOWLEDGED]
    match wanted:
        case CommandStatus.ACKNOWLEDGED:
            return stands in (*order[:2], CommandStatus.UNKNOWN)
        case CommandStatus.CONFIRMED | CommandStatus.FAILED:
            return stands not in _ENDS
        case CommandStatus.UNKNOWN | CommandStatus.EXPIRED:
            return stands in order[:2]
        case _:
            return stands is CommandStatus.ACCEPTED and wanted is not CommandStatus.ACCEPTED
