"""Reservations, payments and violations: what web shop, cash desk and command line ask for.

The gate's own way through a stay is in `gated.db.store_decisions`; here is what happens before it
and beside it. Each method may be called again with the same ids after an error that is retryable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from json import dumps
from uuid import UUID

from gated.core.ids import FacilityId, SpotId, StayId, ZoneId
from gated.core.money import Money
from gated.db.pool import Database
from gated.db.values import money, storable, storable_or_none


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


class PaymentOutcome(StrEnum):
    """The named outcomes of `gate.record_payment_v1`."""

    PAID = "paid"
    PART_PAID = "part_paid"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_ENDED = "booking_ended"
    AMOUNT_INVALID = "amount_invalid"
    CURRENCY_MISMATCH = "currency_mismatch"
    PROVIDER_UNKNOWN = "provider_unknown"


class RefundOutcome(StrEnum):
    """The named outcomes of `gate.refund_v1`."""

    REFUNDED = "refunded"
    PAYMENT_UNKNOWN = "payment_unknown"
    AMOUNT_INVALID = "amount_invalid"


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
    currency: str
    zone: ZoneId | None
    spot: SpotId | None


class BookingStore:
    """The statements about bookings that no vehicle at a barrier waits for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def booking_place(
        self, facility: str, zone: str | None, spot: str | None
    ) -> BookingPlace | None:
        """The facility of this slug with its zone of this code and spot of this number."""
        row = await self._database.row_or_none(
            "booking_place", storable(facility), storable_or_none(zone), storable_or_none(spot)
        )
        if row is None:
            return None
        return BookingPlace(row["facility"], row["currency"], row["zone"], row["spot"])

    async def booking_of_ticket(self, ticket: str) -> StayId | None:
        """The booking with this ticket number, whichever facility's."""
        booking: StayId | None = await self._database.value("booking_of_ticket", storable(ticket))
        return booking

    async def free_spots(
        self,
        facility: FacilityId,
        start: datetime,
        until: datetime,
        at: datetime,
        *,
        size: str = "COMPACT",
        wants_charger: bool = False,
        accessible: bool = False,
    ) -> Sequence[FreeSpots]:
        """What could be reserved for the period, by zone and kind; nothing for an unknown one."""
        rows = await self._database.rows(
            "free_spots", facility, start, until, at, size, wants_charger, accessible
        )
        return [
            FreeSpots(
                row["zone"],
                row["code"],
                row["size"],
                row["has_ev_charger"],
                row["is_accessible"],
                row["free"],
            )
            for row in rows
        ]

    async def reserve(
        self, facility: FacilityId, request: ReserveRequest, actor: Actor | None = None
    ) -> ReserveAnswer:
        """Hold a spot for the period, or say why not; the same request gets the same answer."""
        actor = actor or Actor()
        row = await self._database.row(
            "reserve",
            request.id,
            facility,
            request.start,
            request.until,
            request.at,
            storable_or_none(request.plate),
            request.vehicle,
            request.user,
            request.zone,
            request.spot,
            request.size,
            request.wants_charger,
            request.accessible,
            actor.name,
            actor.staff,
        )
        return ReserveAnswer(
            outcome=ReserveOutcome(row["outcome"]),
            ticket=row["ticket"] or "",
            zone=row["zone"],
            spot=row["spot"],
            spot_number=row["spot_number"] or "",
            estimate=money(row["estimated_price"], row["currency"]),
        )

    async def cancel_booking(
        self,
        facility: FacilityId,
        booking: StayId,
        reason: str,
        at: datetime,
        actor: Actor | None = None,
    ) -> CancelOutcome:
        """Give up a booking that has not begun; its spot is free. Refunds are another call."""
        actor = actor or Actor()
        outcome = await self._database.value(
            "cancel_booking", facility, booking, storable(reason), at, actor.name, actor.staff
        )
        return CancelOutcome(outcome)

    async def record_payment(
        self,
        facility: FacilityId,
        payment: Payment,
        correlation: UUID | None = None,
        actor: Actor | None = None,
    ) -> PaymentAnswer:
        """Count a payment once, for the booking that it is meant for."""
        actor = actor or Actor()
        row = await self._database.row(
            "record_payment",
            payment.id,
            facility,
            storable_or_none(payment.ticket),
            storable_or_none(payment.plate),
            payment.amount,
            storable(payment.currency),
            storable(payment.provider),
            storable_or_none(payment.txn),
            payment.at,
            correlation or payment.id,
            payment.user,
            actor.name,
            actor.staff,
        )
        return PaymentAnswer(
            outcome=PaymentOutcome(row["outcome"]),
            counted=row["counted"],
            booking=row["booking"],
            ticket=row["ticket"] or "",
            paid=money(row["paid"], row["currency"]),
            due=money(row["due"], row["currency"]),
            grace_until=row["grace_until"],
        )

    async def refund(
        self,
        facility: FacilityId,
        payment: UUID,
        refund: UUID,
        amount: Decimal,
        reason: str,
        at: datetime,
        *,
        txn: str | None = None,
        actor: Actor | None = None,
    ) -> RefundOutcome:
        """Give back a part of a payment, or all of it; a refund with the same id counts once."""
        actor = actor or Actor()
        outcome = await self._database.value(
            "refund",
            refund,
            facility,
            payment,
            amount,
            storable_or_none(txn),
            storable(reason),
            at,
            refund,
            actor.name,
            actor.staff,
        )
        return RefundOutcome(outcome)

    async def open_violation(
        self, facility: FacilityId, violation: Violation, actor: Actor | None = None
    ) -> Decimal:
        """Record an offence; its penalty, as the facility lists it. One of the same id stands.

        Raises StoreError, not retryable, for a facility, booking, vehicle or user that is unknown.
        """
        actor = actor or Actor("gated")
        penalty: Decimal = await self._database.value(
            "open_violation",
            violation.id,
            facility,
            storable(violation.kind),
            violation.booking,
            violation.vehicle,
            violation.user,
            storable_or_none(violation.plate),
            # Of what JSON can write, jsonb has no U+0000.
            storable(dumps(dict(violation.evidence), ensure_ascii=False)).replace(
                r"\u0000", r"\ufffd"
            ),
            violation.at,
            violation.id,
            actor.name,
            actor.staff,
        )
        return penalty
