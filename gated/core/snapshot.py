"""What the database knows: about one plate at one instant, about passages under way, about who was
asked to pay, and about what operators ordered to last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gated.core.ids import CommandId, EventId, LaneId, SpotId, StayId, ZoneId
from gated.core.money import Money
from gated.core.plates import Plate


class Group(StrEnum):
    """Whose a stay is: limits and signs tell them apart.

    A permit holder has a subscription, is staff or has registered the vehicle.
    """

    TRANSIENT = "transient"
    PERMIT_HOLDER = "permit_holder"
    RESERVATION = "reservation"


@dataclass(frozen=True, slots=True)
class OpenStay:
    """A stay of this plate here that has not ended.

    `released`: the exit was granted already, but no passage has been seen since; the same
    vehicle may then be let out again at the price frozen on the stay. `spot` is None for a vehicle
    that came in when none was left: its zone counts it all the same.
    """

    id: StayId
    entry_at: datetime
    zone: ZoneId
    spot: SpotId | None
    spot_number: str
    ticket: str
    released: bool
    group: Group = Group.TRANSIENT


@dataclass(frozen=True, slots=True)
class StayInside:
    """A stay that has not ended: a vehicle that may come to this exit."""

    id: StayId
    plate: Plate
    entry_at: datetime
    zone: ZoneId | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """Why a read that is not its plate was taken for a stay's vehicle; stored on the stay.

    `reason` is a word of `gated.core.matching.MatchReason`, `detail` says what was misread.
    """

    plate: Plate
    reason: str
    distance: int
    detail: str = ""


class Right(StrEnum):
    """What may cover a stay. `park` among the permissions of a member of staff is the last."""

    RESERVATION = "reservation"
    SUBSCRIPTION = "subscription"
    STAFF = "staff"


class Lapse(StrEnum):
    """Why a right that is there does not hold now. These are words of `DenyReason`, too."""

    EXPIRED = "right_expired"
    USED_UP = "right_used_up"
    NOT_DUE = "right_not_due"


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The right that covers one stay. `id` is the booking or the user's subscription."""

    right: Right
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A booking whose vehicle may come now; `zone` is where its spot is."""

    id: StayId
    zone: ZoneId


@dataclass(frozen=True, slots=True)
class PlateSnapshot:
    """The gathered facts. `price` and `due` are set at an exit when there is an open stay.

    `due` is what of the price has not been paid. `available` counts, per zone of the facility,
    the spots that can still be given out. At an entrance: the `reservation` that is due, the
    owner's `subscription` that is valid and not used up, whether the owner may park as `staff`,
    how many violations of the vehicle are open here, and whether these are a reason to deny; of
    a plate without a right, where some entrance asks for one, `lapsed` says why the right does
    not hold that was there last. Of a vehicle whose plate nobody knows: what holds of the
    facility alone.
    """

    plate: Plate | None
    at: datetime
    vehicle: UUID | None = None
    user: UUID | None = None
    blocked: bool = False
    open_stay: OpenStay | None = None
    price: Money | None = None
    available: Mapping[ZoneId, int] | None = None
    due: Money | None = None
    reservation: Reservation | None = None
    subscription: UUID | None = None
    staff: bool = False
    violations_open: int = 0
    violation_denies: bool = False
    lapsed: Lapse | None = None


@dataclass(frozen=True, slots=True)
class PendingPassage:
    """A stay whose vehicle was let through a lane and has not been seen passing since.

    `plate` is None for a vehicle that came in on a ticket.
    """

    lane: LaneId
    stay: StayId
    zone: ZoneId
    plate: Plate | None
    command: CommandId | None
    event: EventId
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class AskedPayment:
    """A driver at an exit was asked to pay for a stay, and nothing has come of it yet.

    `event` is the message that the lane decided on then. `due` is what was asked for last, `since`
    when it was asked first.
    """

    lane: LaneId
    event: EventId
    stay: StayInside
    due: Money
    since: datetime


class LaneMode(StrEnum):
    """What an operator ordered: `held` is open until released, `closed` lets nobody pass."""

    IN_SERVICE = "in_service"
    HELD = "held"
    CLOSED = "closed"


class FacilityMode(StrEnum):
    """`evacuation`: exits stand open, entries are shut, nothing is charged."""

    NORMAL = "normal"
    EVACUATION = "evacuation"


@dataclass(frozen=True, slots=True)
class Ordered:
    """Since when a mode stands, by whom and why. `user` None: by a contact (fire), or nobody."""

    since: datetime
    user: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of a facility and of its lanes; a lane that is not named is in service."""

    facility: FacilityMode = FacilityMode.NORMAL
    lanes: Mapping[LaneId, LaneMode] = field(default_factory=dict)
    ordered: Mapping[LaneId | None, Ordered] = field(default_factory=dict)
