"""What can happen to a lane: what devices report, what gated's own work and timers answer."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gated.core.ids import CommandId, DeviceId, EventId, LaneId, StayId, ZoneId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.snapshot import PlateSnapshot, StayInside


class InputName(StrEnum):
    """The contacts of a lane, by what they mean and not by where they are wired."""

    PRESENCE = "presence"
    CLOSING = "closing"
    BUTTON = "button"
    FIRE = "fire"


# What a device is wired to tell beside its contacts: where the arm is.
ARM_SWITCH = "arm"


class BarrierState(StrEnum):
    """What the arm reports of itself. Never inferred from a command."""

    OPENED = "opened"
    CLOSED = "closed"
    MOVING = "moving"
    FAULT = "fault"


class Heading(StrEnum):
    """Which way a vehicle moves, seen from the camera."""

    TOWARDS = "towards"
    AWAY = "away"
    UNKNOWN = "unknown"


# ── what devices report ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Candidate:
    """A second opinion of the camera; `confidence` 0 to 1 or not stated."""

    plate: Plate
    confidence: float | None


@dataclass(frozen=True, slots=True)
class PlateRead:
    """One observation of a plate.

    `plate_raw` is the device's text as it came. `confidence` is 0 to 1; None means that the
    device states none, which is not zero. `vehicle_key` is the device's own name for this
    vehicle, equal in all its reads of it. `device_at` is the device's clock, None if it has none.
    """

    plate: Plate
    plate_raw: str
    confidence: float | None = None
    candidates: tuple[Candidate, ...] = ()
    vehicle_key: str | None = None
    heading: Heading = Heading.UNKNOWN
    device_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlateUnread:
    """A vehicle stands there and its plate cannot be read."""

    vehicle_key: str | None = None
    device_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VehicleLost:
    """The camera no longer sees this vehicle. Says nothing about where it went."""

    vehicle_key: str
    device_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InputChanged:
    """A contact is on (a vehicle stands on the loop, the button is held) or off."""

    name: InputName
    on: bool
    device_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BarrierReported:
    """The arm's own report; `command` is the command number it answers, where it says so."""

    state: BarrierState
    command: int | None = None
    device_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """The device took a command (`ok`) or refused it. `command` is its `command_number`."""

    command: int
    ok: bool
    error: str | None = None
    device_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeviceOnlineChanged:
    """The device, or the broker in its name (last will), says that it is there or gone."""

    online: bool
    device_at: datetime | None = None


DeviceEvent = (
    PlateRead
    | PlateUnread
    | VehicleLost
    | InputChanged
    | BarrierReported
    | CommandAnswered
    | DeviceOnlineChanged
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Where an event came from: the inbox row that it is settled by, and how old it is.

    `age_seconds` is the time from the observation to its delivery, with the device's skew taken
    out; None where the device states no time or one in the future. `event` doubles as the
    correlation id of everything that follows from it. `received_monotonic` is for latencies only.
    `device` is who reported it; None where no device did. `again` is set where nothing was reported
    anew: the message that is decided on once more. `event` is then an id of gated's own, of which
    the inbox knows once that is decided.
    """

    event: EventId
    received_at: datetime
    received_monotonic: float
    age_seconds: float | None
    device: DeviceId | None = None
    again: EventId | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A device event on its way into a lane."""

    cause: Cause
    event: DeviceEvent


# ── what operators ask for ──────────────────────────────────────────────────────────────────


class OperatorDo(StrEnum):
    """What an operator may ask for; also the words of the right to it."""

    OPEN = "open"
    HOLD = "hold"
    RELEASE = "release"
    LANE_CLOSE = "lane_close"
    LANE_OPEN = "lane_open"
    EVACUATE = "evacuate"
    RESUME = "resume"
    MATCH = "match"
    WAIVE = "waive"
    PAY = "pay"


class OperateOutcome(StrEnum):
    """What an operator's request came to. All but DONE are refusals, and nothing was done.

    The request itself: `reason_missing` to `amount_missing`. Who asks: `user_unknown`,
    `not_permitted`. Its age: `too_old`, `undated` (it states no time and may have waited at the
    broker). The lane: `not_supported` (it has no barrier, or one without such a command). The
    stay and its money: `booking_unknown` to `told_differently`, as in the functions of the
    database. `event_done`: decided before, by another call. `failed`: the database could not.
    `not_now`: the lane is in no state in which it can be done. `plate_unknown`: a stay on a ticket
    can be matched with, or opened for by, what was read of its vehicle, and nothing was, or that is
    another stay's.
    """

    DONE = "done"
    REASON_MISSING = "reason_missing"
    LANE_MISSING = "lane_missing"
    LANE_UNKNOWN = "lane_unknown"
    STAY_MISSING = "stay_missing"
    STAY_AMBIGUOUS = "stay_ambiguous"
    AMOUNT_MISSING = "amount_missing"
    USER_UNKNOWN = "user_unknown"
    NOT_PERMITTED = "not_permitted"
    TOO_OLD = "too_old"
    UNDATED = "undated"
    NOT_SUPPORTED = "not_supported"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_ENDED = "booking_ended"
    NOTHING_DUE = "nothing_due"
    AMOUNT_INVALID = "amount_invalid"
    CURRENCY_MISMATCH = "currency_mismatch"
    PROVIDER_UNKNOWN = "provider_unknown"
    TOLD_DIFFERENTLY = "told_differently"
    EVENT_DONE = "event_done"
    FAILED = "failed"
    NOT_NOW = "not_now"
    PLATE_UNKNOWN = "plate_unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """What an operator asks for, by the name that the broker vouches for.

    `id` is the sender's own, as it wrote it. `stay`, `ticket` or `plate` name the stay, where the
    act is about one. `at` is when it was asked, by the sender's clock; None if it says nothing.
    `account` is whose name that is, once the database has said it.
    """

    id: str | int
    user: str
    do: OperatorDo
    reason: str
    lane: LaneId | None = None
    stay: StayId | None = None
    ticket: str | None = None
    plate: Plate | None = None
    amount: Decimal | None = None
    currency: str | None = None
    provider: str = "CASH"
    at: datetime | None = None
    account: UUID | None = None

    @property
    def names_stay(self) -> bool:
        """Whether it says which stay it is about."""
        return any(name is not None for name in (self.stay, self.ticket, self.plate))


@dataclass(frozen=True, slots=True)
class Requested:
    """An operator asks this lane for something. Whether he may is for the database to say."""

    cause: Cause
    request: Request


# ── what gated's own work answers ───────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """The facts about the plate that this cause's read named."""

    cause: Cause
    snapshot: PlateSnapshot


@dataclass(frozen=True, slots=True)
class OpenStaysTaken:
    """The stays that are open in this facility: one of them may be what was misread."""

    cause: Cause
    stays: tuple[StayInside, ...]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The stay is open, its spot claimed and the open command committed."""

    cause: Cause
    stay: StayId
    zone: ZoneId
    spot_number: str
    command: CommandId


class ZoneRefusal(StrEnum):
    """Why a zone has no spot for a vehicle.

    `reserved`: what is free is claimed for later. `size_taken`: what is large enough is taken;
    `too_small`: nothing in the zone is. `chargers_kept`, `accessible_kept`: what is free is kept
    for those who want a charger, or have the right. `closed`: the zone is out of service.
    `group_full`, `facility_group_full`: a limit of the zone, or of the facility, is reached by
    vehicles of its group; `group_not_permitted`: that limit is 0.
    """

    FULL = "zone_full"
    RESERVED = "zone_reserved"
    SIZE_TAKEN = "size_taken"
    TOO_SMALL = "spots_too_small"
    CHARGERS_KEPT = "chargers_kept"
    ACCESSIBLE_KEPT = "accessible_kept"
    CLOSED = "zone_closed"
    GROUP_FULL = "zone_full_for_group"
    FACILITY_GROUP_FULL = "facility_full_for_group"
    GROUP_NOT_PERMITTED = "group_not_permitted"


@dataclass(frozen=True, slots=True)
class ZoneRefused:
    """No spot of this zone could be claimed: the next zone may be tried."""

    cause: Cause
    zone: ZoneId
    refusal: ZoneRefusal


@dataclass(frozen=True, slots=True)
class RightGone:
    """The right that should cover the stay was used, ended or withdrawn meanwhile."""

    cause: Cause
    right: str


@dataclass(frozen=True, slots=True)
class AlreadyInside:
    """The plate has an open stay here: the unique claim refused a second one."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Released:
    """The stay has ended, priced, and the open command is committed."""

    cause: Cause
    stay: StayId
    price: Money
    command: CommandId


@dataclass(frozen=True, slots=True)
class Moved:
    """The stay is in that zone now, its spot claimed and the open command committed."""

    cause: Cause
    stay: StayId
    zone: ZoneId
    spot_number: str
    command: CommandId


@dataclass(frozen=True, slots=True)
class NoOpenStay:
    """The stay that should be released or moved is not open any more (somebody else ended it)."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class DenialShown:
    """The denial is recorded, and under this command on its way to the lane's display."""

    cause: Cause
    command: CommandId


@dataclass(frozen=True, slots=True)
class DecidedBefore:
    """The inbox row was settled before: this is a replay and nothing was done again."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class DecisionFailed:
    """The database could not answer in time; nothing was decided."""

    cause: Cause
    error: str


@dataclass(frozen=True, slots=True)
class Operated:
    """What an operator's request came to. `command` is on its way to the barrier, if one was due.

    `user` is the operator's account, where it is known. `plate` is set by a match, and by an
    opening that names a stay: the plate under which that is found.
    """

    cause: Cause
    request: Request
    outcome: OperateOutcome
    command: CommandId | None
    user: UUID | None = None
    plate: Plate | None = None


class CommandStatus(StrEnum):
    """The life of a command; see the outbox in docs/. Only the hardware makes `confirmed`."""

    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command reached its end without an answer of the hardware (expired, failed, unknown)."""

    command: CommandId
    status: CommandStatus


@dataclass(frozen=True, slots=True)
class PaymentTold:
    """Somebody paid something at this facility: whoever waits for that may look.

    `received_monotonic` is for latencies only: it completes the picture.
    """

    received_monotonic: float = 0.0


@dataclass(frozen=True, slots=True)
class ChangeTold:
    """Something has changed at this facility that may end a refusal: room came free, an hour began.

    Whoever stands refused may be decided on once more: under the id `event`, should anything come
    of it. `received_monotonic` is for latencies only.
    """

    event: EventId
    received_monotonic: float = 0.0


@dataclass(frozen=True, slots=True)
class CommandSent:
    """A command that grants nothing anew is committed: the arm asked once more, or held."""

    command: CommandId
    stay: StayId | None


@dataclass(frozen=True, slots=True)
class DeviceFreshnessChanged:
    """A device of the lane has been silent for longer than it may, or speaks again."""

    device: DeviceId
    fresh: bool


@dataclass(frozen=True, slots=True)
class GrantTakenOver:
    """The vehicle of this stay has backed out of the lane and was let in at another one."""

    stay: StayId


@dataclass(frozen=True, slots=True)
class EvacuationChanged:
    """The facility is being evacuated, or is not any more."""

    cause: Cause
    on: bool


class TimerName(StrEnum):
    """The lane's timers; one at most runs, that of the lane's phase."""

    PRESENCE = "presence"
    READ = "read"
    CONSENSUS = "consensus"
    PAYMENT = "payment"
    OPENING = "opening"
    PASSAGE = "passage"
    CLOSING = "closing"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer ran out. `token` tells it from an earlier one of the same name."""

    name: TimerName
    token: int


LaneEvent = (
    Reported
    | Requested
    | SnapshotTaken
    | OpenStaysTaken
    | Admitted
    | ZoneRefused
    | RightGone
    | AlreadyInside
    | Released
    | Moved
    | NoOpenStay
    | DecidedBefore
    | DecisionFailed
    | DenialShown
    | Operated
    | CommandEnded
    | CommandSent
    | PaymentTold
    | ChangeTold
    | EvacuationChanged
    | GrantTakenOver
    | DeviceFreshnessChanged
    | TimerFired
)
