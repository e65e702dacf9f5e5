"""Reservations, payments and violations: what web shop, cash desk and command line ask for.

The gate's own way through a stay is in `gated.db.store_decisions`; here is what happens before it
and beside it. Each method may be called again with the same ids after an error that is retryable.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from json import dumps
from uuid import UUID

from gated.core.ids import FacilityId, StayId
from gated.db.bookings import (
    Actor,
    BookingPlace,
    CancelOutcome,
    FreeSpots,
    LoseOutcome,
    Payment,
    PaymentAnswer,
    QuoteRequest,
    RefundOutcome,
    ReserveAnswer,
    ReserveOutcome,
    ReserveRequest,
    ValidateOutcome,
    Violation,
)
from gated.db.pool import Database
from gated.db.values import json_value, money, plain, storable, storable_or_none
from gated.records import Charge, PaymentOutcome


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
        return BookingPlace(
            row["facility"], row["time_zone"], row["currency"], row["zone"], row["spot"]
        )

    async def facility_slugs(self) -> list[str]:
        """What there is to choose from, closed ones too."""
        return [row["slug"] for row in await self._database.rows("why_facilities", None)]

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

    async def validate_stay(
        self,
        facility: FacilityId,
        booking: StayId,
        validation: str,
        at: datetime,
        actor: Actor | None = None,
    ) -> ValidateOutcome:
        """Give a stay a validation of its tariff: it counts when the stay is priced next."""
        actor = actor or Actor()
        outcome = await self._database.value(
            "validate_stay", facility, booking, storable(validation), at, actor.name, actor.staff
        )
        return ValidateOutcome(outcome)

    async def lose_ticket(
        self, facility: FacilityId, booking: StayId, at: datetime, actor: Actor | None = None
    ) -> LoseOutcome:
        """Have a stay priced as one whose ticket was lost."""
        actor = actor or Actor()
        outcome = await self._database.value(
            "lose_ticket", facility, booking, at, actor.name, actor.staff
        )
        return LoseOutcome(outcome)

    async def quote(self, facility: FacilityId, request: QuoteRequest) -> Charge:
        """What parking in a period costs. Raises StoreError, not retryable, if that is unknown."""
        row = await self._database.row(
            "quote",
            facility,
            request.start,
            request.until,
            request.vehicle,
            request.user,
            request.zone,
            request.reserved,
            dumps(dict(request.context)),
        )
        return Charge(
            amount=plain(row["amount"]),
            currency=row["currency"],
            rules=tuple(row["rule_ids"]),
            lines=tuple(json_value(row["lines"])),
        )

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
