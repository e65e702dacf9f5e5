"""What is asked about bookings, and what is answered: requests, outcomes by name, answers.

Who asks is `gated.db.store_bookings`; what each outcome means is said by the stored function.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gated.core.ids import FacilityId, SpotId, StayId, ZoneId
from gated.core.money import Money
from gated.records import PaymentOutcome


class ReserveOutcome(StrEnum):
    """The named outcomes of `gate.reserve_v1`, which says what each means."""

    RESERVED = "reserved"
    BOOKING_ENDED = "booking_ended"
    FACILITY_UNKNOWN = "facility_unknown"
    FACILITY_CLOSED = "facility_closed"
    ZONE_UNKNOWN = "zone_unknown"
    ZONE_CLOSED = "zone_closed"
    SPOT_UNKNOWN = "spot_unknown"
    SPOT_OUT_OF_SERVICE = "spot_out_of_service"
    SPOT_UNFIT = "spot_unfit"
    SPOT_TAKEN = "spot_taken"
    NO_SPOT = "no_spot"
    PERIOD_INVALID = "period_invalid"
    PERIOD_TOO_FAR = "period_too_far"
    PLATE_INVALID = "plate_invalid"
    VEHICLE_UNKNOWN = "vehicle_unknown"
    VEHICLE_BLOCKED = "vehicle_blocked"
    ACCESSIBLE_NOT_PERMITTED = "accessible_not_permitted"


class CancelOutcome(StrEnum):
    """The named outcomes of `gate.cancel_booking_v1`."""

    CANCELLED = "cancelled"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_ACTIVE = "booking_active"
    BOOKING_ENDED = "booking_ended"


class RefundOutcome(StrEnum):
    """The named outcomes of `gate.refund_v1`."""

    REFUNDED = "refunded"
    PAYMENT_UNKNOWN = "payment_unknown"
    AMOUNT_INVALID = "amount_invalid"


class ValidateOutcome(StrEnum):
    """The named outcomes of `gate.validate_stay_v1`."""

    VALIDATED = "validated"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_ENDED = "booking_ended"
    VALIDATION_UNKNOWN = "validation_unknown"


class LoseOutcome(StrEnum):
    """The named outcomes of `gate.lose_ticket_v1`."""

    LOST = "lost"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_ENDED = "booking_ended"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, for the audit: a name for the kind of asker, and the member of staff."""

    name: str = "operator"
    staff: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReserveRequest:
    """A spot for a period [start, until). `id` is drawn by the caller: a retry is the same booking.

    The spot is `spot`, else one of `zone`, else any of the facility that offers what is needed.
    """

    id: StayId
    start: datetime
    until: datetime
    at: datetime
    plate: str | None = None
    vehicle: UUID | None = None
    user: UUID | None = None
    zone: ZoneId | None = None
    spot: SpotId | None = None
    size: str | None = None
    wants_charger: bool | None = None
    accessible: bool = False


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """A period [start, until) to be priced; vehicle, user and zone as far as they are known.

    `context` adds to what is known of them; docs/tariffs.md lists its keys.
    """

    start: datetime
    until: datetime
    vehicle: UUID | None = None
    user: UUID | None = None
    zone: ZoneId | None = None
    reserved: bool = False
    context: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReserveAnswer:
    """`ticket`, `zone` and `spot` are set when reserved; the estimate where there is a tariff."""

    outcome: ReserveOutcome
    ticket: str = ""
    zone: ZoneId | None = None
    spot: SpotId | None = None
    spot_number: str = ""
    estimate: Money | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """What a provider, or the cash desk, says was paid: for a ticket, or else for a plate."""

    id: UUID
    amount: Decimal
    currency: str
    provider: str
    at: datetime
    ticket: str | None = None
    plate: str | None = None
    txn: str | None = None
    user: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """What has been paid by now and what is due; `counted` is False for one told before."""

    outcome: PaymentOutcome
    counted: bool
    booking: StayId | None = None
    ticket: str = ""
    paid: Money | None = None
    due: Money | None = None
    grace_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """An offence at a facility, with what proves it. `id` is drawn by the caller."""

    id: UUID
    kind: str
    at: datetime
    evidence: Mapping[str, object]
    booking: StayId | None = None
    vehicle: UUID | None = None
    user: UUID | None = None
    plate: str | None = None


@dataclass(frozen=True, slots=True)
class FreeSpots:
    """How many spots of one kind are free in a zone over a whole period."""

    zone: ZoneId
    code: str
    size: str
    has_charger: bool
    accessible: bool
    free: int


@dataclass(frozen=True, slots=True)
class BookingPlace:
    """What the names of a facility, a zone and a spot stand for; None for an unknown one."""

    facility: FacilityId
    time_zone: str
    currency: str
    zone: ZoneId | None
    spot: SpotId | None
