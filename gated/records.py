"""The values that cross the ports: messages, rows of the inbox and outbox, requests and answers.

What may be done with them is in `gated.ports`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gated.core.effects import Do, Fault, FreeKind, PassageKnown
from gated.core.events import DeviceEvent, OperateOutcome, PlateRead, Request, ZoneRefusal
from gated.core.facts import FactsRecord
from gated.core.ids import (
    CommandId,
    DeviceId,
    EventId,
    Fence,
    LaneId,
    Slug,
    SpotId,
    StayId,
    ZoneId,
)
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.signs import Room
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Group, Matched


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

    `stay`, `plate`, `price` and `text` (its lines, as the driver reads them) are for the display
    and the record; `ticket` is the number that a vehicle without a plate comes in on, for a
    printer. `taken`: whoever commits it sends it at once, so it is stored as dispatched; should
    that fail it is never sent.
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
    text: str | None = None
    ticket: str = ""


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


class AdmitOutcome(StrEnum):
    """The named outcomes of `gate.admit_v1`."""

    ADMITTED = "admitted"
    ZONE_FULL = "zone_full"
    ZONE_RESERVED = "zone_reserved"
    SIZE_TAKEN = "size_taken"
    SPOTS_TOO_SMALL = "spots_too_small"
    CHARGERS_KEPT = "chargers_kept"
    ACCESSIBLE_KEPT = "accessible_kept"
    ZONE_CLOSED = "zone_closed"
    ZONE_FULL_FOR_GROUP = "zone_full_for_group"
    FACILITY_FULL_FOR_GROUP = "facility_full_for_group"
    GROUP_NOT_PERMITTED = "group_not_permitted"
    ALREADY_INSIDE = "already_inside"
    RIGHT_USED_UP = "right_used_up"
    RIGHT_EXPIRED = "right_expired"
    BOOKING_NOT_OPEN = "booking_not_open"
    BOOKING_NOT_DUE = "booking_not_due"
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
    """All that `gate.admit_v1` needs. Ids are drawn by the caller, so that a retry is the same.

    With a reservation as `entitlement` its booking becomes the stay, and not `stay`. `read` is
    None for a vehicle that comes in on a ticket; `stay` is then the one of its earlier grant, if
    it has one that it has not begun. `vacated` is the other entry that let this plate in a moment
    ago and that its vehicle has backed out of. `facts`, here as in the other requests, is what the
    verdict rests on, kept with it: `gated.core.facts`. `again`, as in the others: the message that
    is decided on once more, if nothing was reported anew; `event` is then an id that the inbox gets
    to know by the decision.
    """

    event: EventId
    lane: LaneId
    zone: ZoneId
    stay: StayId
    read: PlateRead | None
    at: datetime
    reason: GrantReason
    vehicle: UUID | None
    user: UUID | None
    command: Command
    entitlement: Entitlement | None = None
    facts: FactsRecord | None = None
    vacated: LaneId | None = None
    again: EventId | None = None


class ReleaseOutcome(StrEnum):
    """The named outcomes of `gate.release_v1`."""

    RELEASED = "released"
    NO_OPEN_STAY = "no_open_stay"
    EVENT_DONE = "event_done"


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    """`price` is frozen on the stay, `due` is what of it has not been paid; `available` counts the
    zone's free spots after the call."""

    outcome: ReleaseOutcome
    zone: ZoneId | None = None
    available: int = 0
    spot_number: str = ""
    price: Money | None = None
    due: Money | None = None


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
    matched: Matched | None = None
    facts: FactsRecord | None = None


class MoveOutcome(StrEnum):
    """The named outcomes of `gate.move_stay_v1`; a zone that refuses says a `ZoneRefusal`."""

    MOVED = "moved"
    NO_OPEN_STAY = "no_open_stay"
    EVENT_DONE = "event_done"


@dataclass(frozen=True, slots=True)
class MoveAnswer:
    """`zone`, `spot` and `spot_number` are set when moved; `available` counts the zone's free spots
    after the call."""

    outcome: MoveOutcome | ZoneRefusal
    available: int
    zone: ZoneId | None = None
    spot: SpotId | None = None
    spot_number: str = ""


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """All that `gate.move_stay_v1` needs. `anyway`: let it on whatever the zone says."""

    event: EventId
    lane: LaneId
    stay: StayId
    zone: ZoneId
    read: PlateRead
    at: datetime
    reason: GrantReason
    command: Command
    anyway: bool = False
    matched: Matched | None = None
    facts: FactsRecord | None = None
    again: EventId | None = None


@dataclass(frozen=True, slots=True)
class DenyRequest:
    """All that `gate.deny_v1` needs; `command` where the lane's display can show it."""

    event: EventId
    lane: LaneId
    reason: DenyReason
    read: PlateRead | None
    at: datetime
    command: Command | None
    facts: FactsRecord | None = None
    again: EventId | None = None


@dataclass(frozen=True, slots=True)
class AskRequest:
    """All that `gate.ask_payment_v1` needs; `command` where the lane's display can show it."""

    event: EventId
    lane: LaneId
    stay: StayId
    plate: Plate
    due: Money
    at: datetime
    command: Command | None


class FreeOutcome(StrEnum):
    """The named outcomes of `gate.ungranted_passage_v1`."""

    STAY_OPENED = "stay_opened"
    STAY_ENDED = "stay_ended"
    STAY_MOVED = "stay_moved"
    ALREADY_INSIDE = "already_inside"
    NOBODY_KNOWN = "nobody_known"
    DONE_BEFORE = "done_before"


@dataclass(frozen=True, slots=True)
class FreePassage:
    """A vehicle that passed without a grant: all that `gate.ungranted_passage_v1` needs.

    `passage` is the inbox event that showed it, and makes the call one that counts once. `stay` is
    a fresh id for the stay that an entry opens. `read` is what is known of the vehicle, `after` the
    stay in whose opening it passed. `user` and `reason`: the operator who opened, in his words.
    `known`: how the passage was.
    """

    passage: EventId
    lane: LaneId
    direction: Direction
    kind: FreeKind
    stay: StayId
    at: datetime
    read: PlateRead | None = None
    after: StayId | None = None
    user: UUID | None = None
    reason: str = ""
    known: PassageKnown = PassageKnown.MEASURED


@dataclass(frozen=True, slots=True)
class FreePassageAnswer:
    """What stands now. `stay` is the one that was opened, ended or found inside; `due` is what an
    ended one still owes, None where nothing ended or its price cannot be told."""

    outcome: FreeOutcome
    stay: StayId | None = None
    due: Money | None = None


@dataclass(frozen=True, slots=True)
class StandingFault:
    """A fault that was noted of a lane, and not its end."""

    lane: LaneId
    fault: Fault
    since: datetime


@dataclass(frozen=True, slots=True)
class LaneNote:
    """Something about a lane that is to be found later: a fault raised or cleared, a change of its
    mode, a notice. `name` is a stable word, `event` the message that showed it."""

    id: UUID
    lane: LaneId
    at: datetime
    name: str
    detail: str = ""
    event: EventId | None = None


class PaymentOutcome(StrEnum):
    """The named outcomes of `gate.record_payment_v1`. `gate.take_payment_v1` has three more:
    TOLD_BEFORE, for money that another message told of, and that counted then; FAILED, for a
    message that was given up; EVENT_DONE, for one that was decided and is no payment.

    TOLD_DIFFERENTLY: the same payment was told before, for another stay or of another amount.
    """

    PAID = "paid"
    PART_PAID = "part_paid"
    TOLD_BEFORE = "told_before"
    TOLD_DIFFERENTLY = "told_differently"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_ENDED = "booking_ended"
    AMOUNT_INVALID = "amount_invalid"
    CURRENCY_MISMATCH = "currency_mismatch"
    PROVIDER_UNKNOWN = "provider_unknown"
    FAILED = "failed"
    EVENT_DONE = "event_done"

    @property
    def counted(self) -> bool:
        """Whether the money counts, by this message or by one before."""
        return self in (PaymentOutcome.PAID, PaymentOutcome.PART_PAID, PaymentOutcome.TOLD_BEFORE)


@dataclass(frozen=True, slots=True)
class PaymentTaken:
    """What a terminal says was paid, for a ticket or else for a plate.

    `message` is the terminal's own id of the message, as it wrote it; `key` and `id` follow from
    it. `at` is when it was paid, as far as the terminal's clock (`device_at`) can be believed.
    """

    message: str | int
    key: str
    id: UUID
    amount: Decimal
    currency: str
    provider: str
    txn: str
    at: datetime
    device_at: datetime
    ticket: str | None = None
    plate: str | None = None


@dataclass(frozen=True, slots=True)
class ZoneCounted:
    """How many vehicles a counter says are in a zone.

    `key` is the counter's own id of the message. `at` is when it counted, as far as its clock
    (`device_at`) can be believed.
    """

    key: str
    zone: Slug
    occupied: int
    at: datetime
    device_at: datetime


@dataclass(frozen=True, slots=True)
class SpotSeen:
    """Whether a sensor says that a vehicle stands on a spot, and which one if it can read plates.

    `key`, `at` and `device_at` as of `ZoneCounted`.
    """

    key: str
    zone: Slug
    number: str
    occupied: bool
    at: datetime
    device_at: datetime
    plate: Plate | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator's message says. `refusal`: why nothing of the kind can be done.

    `key` identifies the message at the facility: the same user and id are the same request.
    """

    key: str
    request: Request
    refusal: OperateOutcome | None = None

    @property
    def device_at(self) -> datetime | None:
        """When it was asked, by the sender's clock."""
        return self.request.at


# What a sensor of no lane says, and all that a message for the facility as a whole may be.
SensorWord = ZoneCounted | SpotSeen
FacilityFact = PaymentTaken | SensorWord | Asked


class SensorOutcome(StrEnum):
    """The named outcomes of `gate.note_zone_count_v1` and `gate.note_spot_v1`."""

    NOTED = "noted"
    OLDER = "older"
    UNKNOWN = "unknown"
    EVENT_DONE = "event_done"


@dataclass(frozen=True, slots=True)
class PaymentTakenAnswer:
    """What became of it; if it counts: for which ticket, what is due after it, and until when the
    vehicle has to leave, where its grace runs."""

    outcome: PaymentOutcome
    ticket: str = ""
    due: Money | None = None
    grace_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """A price with its explanation: one line per rule that took part, in order."""

    amount: Decimal
    currency: str
    rules: tuple[UUID, ...]
    lines: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """capacity: active spots; occupied: vehicles inside; reserved: held for bookings.

    `rooms` and `facility_rooms`: what the limits of the zone, and those of its facility, leave to
    groups just now; groups without a limit are not in it.
    """

    capacity: int
    occupied: int
    reserved: int
    rooms: Mapping[Group, Room] = field(default_factory=dict)
    facility_rooms: Mapping[Group, Room] = field(default_factory=dict)

    @property
    def available(self) -> int:
        """Spots that can still be given out."""
        return max(0, self.capacity - self.occupied - self.reserved)

    def has_more_than(self, before: "ZoneCount") -> bool:
        """Whether somebody may find room here who found none before, be it where others parked, on
        what was held for a booking, or under a limit."""
        if self.available > before.available or self.occupied < before.occupied:
            return True
        return any(
            group not in now or now[group].free > room.free
            for then, now in (
                (before.rooms, self.rooms),
                (before.facility_rooms, self.facility_rooms),
            )
            for group, room in then.items()
        )


class Against(StrEnum):
    """What the occupancy that is counted is held against."""

    STAYS = "stays"
    SENSOR = "sensor"


@dataclass(frozen=True, slots=True)
class ZoneDrift:
    """The vehicles of one zone, as three ways of counting have it at one instant.

    `counted`: by the counters of the zone, which everybody sees; `stays`: by the claims of the open
    stays; `sensed`: by the zone's counter or its spot sensors, None where none of them tells.
    `allowed` is how far they may be apart before somebody should look.
    """

    counted: int
    stays: int
    sensed: int | None
    allowed: int

    def drifts(self) -> Mapping[Against, int | None]:
        """How many more vehicles are counted than there are by each of the others."""
        return {
            Against.STAYS: self.counted - self.stays,
            Against.SENSOR: None if self.sensed is None else self.counted - self.sensed,
        }


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
