"""What actors need from the world, as Protocols: the store, the outgoing messages, the clock, ids.

`gated.app` hands over the real things; tests hand over fakes that pass the same suites.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from gated.core.effects import DenyReason, Do, GrantReason, Outcome, PassageKnown
from gated.core.events import CommandStatus, DeviceEvent, PlateRead
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
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import DeviceSetup, Direction, FacilitySetup
from gated.core.snapshot import PendingPassage, PlateSnapshot


class Clock(Protocol):
    """Both clocks: the wall (aware, UTC) for records, the monotonic one for durations."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class Ids(Protocol):
    """A source of new, time-ordered ids."""

    def new(self) -> UUID: ...


# ── messages ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Publication:
    """One outgoing MQTT message."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the outbox: what the lane's barrier device is told, and until when it holds.

    `stay`, `plate` and `price` are for the display and the record. `taken`: whoever commits it
    sends it at once, so it is stored as dispatched; should that fail it is never sent.
    """

    id: CommandId
    lane: LaneId
    device: DeviceId
    do: Do
    reason: str
    event: EventId
    fence: Fence
    issued_at: datetime
    expires_at: datetime
    plate: Plate | None = None
    stay: StayId | None = None
    price: Money | None = None
    taken: bool = False


class Commands(Protocol):
    """The way out to the barriers (the relay)."""

    def accepts(self, device: DeviceId, do: Do) -> bool:
        """Whether the device's family has such a command at all (a bare relay cannot deny)."""
        ...

    def ready(self) -> bool:
        """Whether a command that is committed now can leave at once."""
        ...

    def noted(self, command: CommandId, status: CommandStatus) -> None:
        """The hardware has answered a command, and its row says so."""
        ...

    def poke(self, command: Command, cause_received_monotonic: float) -> None:
        """A command was committed: send it now. The timer would find it too, only later."""
        ...


class Announcer(Protocol):
    """The way out for retained state. Newest wins; what cannot be sent now is sent on link-up."""

    def lane_state(self, lane: Slug, phase: str, since: datetime) -> None: ...
    def zone_occupancy(self, zone: Slug, count: "ZoneCount") -> None: ...
    def facility_occupancy(self, count: "ZoneCount") -> None: ...
    def receipt(self, lane: Slug, boot: str, seq: int) -> None: ...


class Message(Protocol):
    """One received MQTT message, not yet acknowledged. `defect`: the packet itself was broken."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def retain(self) -> bool: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def received_monotonic(self) -> float: ...
    @property
    def defect(self) -> str | None: ...


class Link(Protocol):
    """The facility's MQTT session, as actors use it."""

    @property
    def connected(self) -> bool: ...

    async def publish(self, publication: Publication) -> None:
        """Raises DeliveryError."""
        ...


# ── the inbox ───────────────────────────────────────────────────────────────────────────────


class EventStatus(StrEnum):
    """The life of an inbox row. `quarantined` and `dropped` rows are never handed to an actor."""

    NEW = "new"
    DONE = "done"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One received message for one device, as it is stored before it is acknowledged.

    `key` identifies the message within the device (its own event id, else a digest).
    `payload` is cut to the cap that the configuration states. `error` says why a row is
    quarantined or dropped.
    """

    id: EventId
    key: str
    device: DeviceId | None
    lane: LaneId | None
    topic: str
    payload: bytes
    kind: str
    status: EventStatus
    device_at: datetime | None
    received_at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act for a facility. `deadline` is monotonic: past it, publish nothing."""

    facility: FacilityId
    holder: str
    fence: Fence
    revision: int
    deadline: float


# ── outcomes of the decisions' transactions ─────────────────────────────────────────────────


class AdmitOutcome(StrEnum):
    """The named outcomes of `gate.admit_v1`."""

    ADMITTED = "admitted"
    ZONE_FULL = "zone_full"
    ALREADY_INSIDE = "already_inside"
    EVENT_DONE = "event_done"


@dataclass(frozen=True, slots=True)
class AdmitAnswer:
    """`stay`, `spot` and `ticket` are set when admitted; `available` counts after the call."""

    outcome: AdmitOutcome
    available: int
    stay: StayId | None = None
    spot: SpotId | None = None
    spot_number: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class AdmitRequest:
    """All that `gate.admit_v1` needs. Ids are drawn by the caller, so that a retry is the same."""

    event: EventId
    lane: LaneId
    zone: ZoneId
    stay: StayId
    read: PlateRead
    at: datetime
    reason: GrantReason
    vehicle: UUID | None
    user: UUID | None
    command: Command


class ReleaseOutcome(StrEnum):
    """The named outcomes of `gate.release_v1`."""

    RELEASED = "released"
    NO_OPEN_STAY = "no_open_stay"
    EVENT_DONE = "event_done"


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    """`price` is frozen on the stay; `available` counts the zone's free spots after the call."""

    outcome: ReleaseOutcome
    zone: ZoneId | None = None
    available: int = 0
    spot_number: str = ""
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """All that `gate.release_v1` needs."""

    event: EventId
    lane: LaneId
    stay: StayId
    read: PlateRead
    at: datetime
    reason: GrantReason
    command: Command


@dataclass(frozen=True, slots=True)
class DenyRequest:
    """All that `gate.deny_v1` needs; `command` where the lane's display can show it."""

    event: EventId
    lane: LaneId
    reason: DenyReason
    read: PlateRead | None
    at: datetime
    command: Command | None


@dataclass(frozen=True, slots=True)
class Charge:
    """A price with its explanation: one line per rule that took part, in order."""

    amount: Decimal
    currency: str
    rules: tuple[UUID, ...]
    lines: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """capacity: active spots; occupied: vehicles inside; reserved: held for bookings."""

    capacity: int
    occupied: int
    reserved: int

    @property
    def available(self) -> int:
        """Spots that can still be given out."""
        return max(0, self.capacity - self.occupied - self.reserved)


class Store(Protocol):
    """PostgreSQL, one method per named statement.

    Every method raises `StoreError`; those that write for a facility raise `FencedOut` when
    the fence is old. Each method may be called again with the same arguments after a
    retryable error: ids and keys make the second call find the first.
    """

    # facilities and leases
    async def facility_ids(self) -> Sequence[FacilityId]: ...
    async def facility_setup(self, facility: FacilityId) -> FacilitySetup: ...
    async def pending_passages(
        self, facility: FacilityId, since: datetime
    ) -> Sequence[PendingPassage]:
        """The passages granted since then and not seen ending, in the order of their grants."""
        ...

    async def acquire_lease(
        self, facility: FacilityId, holder: str, ttl_seconds: float
    ) -> tuple[Fence, int] | None:
        """The new fence and the setup's revision; None while another holder's lease lives."""
        ...

    async def renew_lease(
        self, facility: FacilityId, holder: str, fence: Fence, ttl_seconds: float
    ) -> int:
        """The setup's revision. Raises FencedOut when the lease was lost."""
        ...

    async def release_lease(self, facility: FacilityId, holder: str, fence: Fence) -> None: ...

    # inbox
    async def append_events(
        self, facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
    ) -> Sequence[bool]:
        """Store the rows in order, in one transaction; per row: True if new, False if known."""
        ...

    async def pending_events(self, facility: FacilityId, limit: int) -> Sequence[InboxRow]:
        """Rows that are stored and not done, in arrival order."""
        ...

    async def recent_inputs(
        self, facility: FacilityId, since: datetime, limit: int
    ) -> Sequence[InboxRow]:
        """The last settled messages of contacts, at most `limit` per lane, in arrival order."""
        ...

    async def settle_events(
        self, facility: FacilityId, fence: Fence, outcomes: Sequence[tuple[EventId, Outcome]]
    ) -> None: ...

    # decisions
    async def plate_snapshot(
        self, facility: FacilityId, plate: Plate, direction: Direction, at: datetime
    ) -> PlateSnapshot: ...
    async def admit(
        self, facility: FacilityId, fence: Fence, request: AdmitRequest
    ) -> AdmitAnswer: ...
    async def release(
        self, facility: FacilityId, fence: Fence, request: ReleaseRequest
    ) -> ReleaseAnswer: ...
    async def deny(self, facility: FacilityId, fence: Fence, request: DenyRequest) -> bool:
        """True if recorded now, False if the event was settled before."""
        ...

    async def complete_passage(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        known: PassageKnown,
        at: datetime,
        correlation: UUID,
    ) -> None: ...
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
        """The zone's available spots afterwards; None if there was nothing left to cancel."""
        ...

    async def zone_count(self, zone: ZoneId) -> ZoneCount: ...
    async def price_stay(
        self, facility: FacilityId, entry_at: datetime, exit_at: datetime
    ) -> Charge: ...

    # outbox
    async def dispatch_command(
        self, facility: FacilityId, fence: Fence, command: CommandId, at: datetime
    ) -> CommandStatus:
        """Take an accepted command for sending. `dispatched` means: send it now, once.

        Anything else means: do not send (`expired` when its time was over at `at`).
        """
        ...

    async def advance_command(
        self,
        facility: FacilityId,
        fence: Fence,
        command: CommandId,
        status: CommandStatus,
        error: str | None,
        at: datetime,
    ) -> CommandStatus:
        """Move the command on; a step back is ignored. Answers the status that stands now."""
        ...

    async def accepted_commands(self, facility: FacilityId) -> Sequence[Command]: ...
    async def expire_commands(
        self, facility: FacilityId, fence: Fence, at: datetime
    ) -> Sequence[tuple[CommandId, LaneId, CommandStatus]]:
        """End what is over: accepted past expiry → expired, dispatched unanswered → unknown."""
        ...


# ── device families ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as a codec sees it."""

    topic: str
    payload: bytes
    received_at: datetime
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a codec made of a message.

    `events` may be empty: a message that is understood and says nothing to a lane.
    `key` is the device's own event id where it has one; it must be the same on redelivery.
    `boot` and `seq` are set by senders that number their messages: they get a receipt.
    `device_at` is the device's clock; `kind` a short stable word for records and metrics.
    """

    kind: str
    events: tuple[DeviceEvent, ...]
    key: str | None = None
    device_at: datetime | None = None
    boot: str | None = None
    seq: int | None = None


class Codec(Protocol):
    """One device family: bytes to events, commands to bytes; no decisions, no waiting."""

    @property
    def family(self) -> str: ...

    @property
    def does(self) -> frozenset[Do]:
        """The commands that the family has."""
        ...

    @property
    def stale_safe(self) -> bool:
        """Whether the hardware itself checks a command's id, fence and expiry."""
        ...

    def check(self, device: DeviceSetup) -> None:
        """Raises ConfigError if topic or options are not what the family needs."""
        ...

    def inputs(self, device: DeviceSetup) -> frozenset[str]:
        """The input names (`presence`, `closing`, …) that this device is wired to report."""
        ...

    def filters(self, device: DeviceSetup) -> tuple[tuple[str, int], ...]:
        """The MQTT subscriptions that the device needs: topic filter and QoS."""
        ...

    def decode(self, device: DeviceSetup, message: Inbound) -> Decoded:
        """Raises CodecError (→ quarantine) for what cannot be understood."""
        ...

    def encode(self, device: DeviceSetup, command: Command) -> Publication:
        """The message that makes the device do it. Raises CodecError if the family cannot."""
        ...
