"""Gathering and deciding: the statements of the store that lock, count and charge."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from gated.core.effects import PassageKnown
from gated.core.errors import StoreError
from gated.core.events import ZoneRefusal
from gated.core.facts import FactsRecord
from gated.core.ids import EventId, FacilityId, Fence, LaneId, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import (
    Entitlement,
    Group,
    Lapse,
    Matched,
    OpenStay,
    PlateSnapshot,
    Reservation,
    Right,
    StayInside,
)
from gated.db.errors import refusal
from gated.db.pool import Database, Record
from gated.db.values import money, storable, storable_or_none
from gated.records import (
    AdmitAnswer,
    AdmitOutcome,
    AdmitRequest,
    AskRequest,
    Command,
    DenyRequest,
    MoveAnswer,
    MoveOutcome,
    MoveRequest,
    PaymentOutcome,
    PaymentTaken,
    PaymentTakenAnswer,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseRequest,
)

# A spot that the referee refuses was claimed behind the row lock's back; the next call sees that.
REFEREE_ATTEMPTS_MAX = 3


class DecisionStore:
    """`gated.ports.Store`, the part about decisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plate_snapshot(
        self,
        facility: FacilityId,
        plate: Plate | None,
        direction: Direction,
        at: datetime,
        lanes: Sequence[LaneId] = (),
    ) -> PlateSnapshot:
        """What is known about the plate; the price where an exit asks and a stay is open.

        A stay that began through one of `lanes`, and was not seen passing, is the vehicle's own:
        the right that it was given is the one that counts.
        """
        text = plate.text if plate is not None else None
        row = await self._database.row(
            "plate_snapshot", facility, text, direction.value, at, list(lanes)
        )
        return PlateSnapshot(
            plate=plate,
            at=at,
            vehicle=row["vehicle"],
            user=row["owner"],
            blocked=row["blocked"],
            open_stay=_open_stay(row),
            price=money(row["price"], row["currency"]),
            available=dict(zip(row["zones"], row["available"], strict=True)),
            due=money(row["due"], row["currency"]),
            reservation=_reservation(row),
            subscription=row["subscription"],
            staff=row["staff"],
            violations_open=row["violations"],
            violation_denies=row["violation_denies"],
            lapsed=None if row["lapsed"] is None else Lapse(row["lapsed"]),
        )

    async def admit(self, facility: FacilityId, fence: Fence, request: AdmitRequest) -> AdmitAnswer:
        """Claim a spot and open a stay, or say why not; the same request gets the same answer.

        `stay` of the answer is the one that stands: a vehicle that is still at the lane where
        it was let in keeps its earlier stay, and the command in the outbox names that one.
        """
        for attempt in range(1, REFEREE_ATTEMPTS_MAX + 1):
            try:
                row = await self._database.row("admit", facility, fence, *_admit_values(request))
            except StoreError as error:
                outcome = refusal(error)
                if outcome is None:
                    raise
                if outcome is AdmitOutcome.ALREADY_INSIDE or attempt == REFEREE_ATTEMPTS_MAX:
                    available = await self._database.value("zone_available", request.zone)
                    return AdmitAnswer(outcome, available)
            else:
                return AdmitAnswer(
                    outcome=AdmitOutcome(row["outcome"]),
                    available=row["available"],
                    stay=row["stay"],
                    spot=row["spot"],
                    spot_number=row["spot_number"] or "",
                    ticket=row["ticket"] or "",
                )
        raise AssertionError("the last attempt answers or raises")

    async def release(
        self, facility: FacilityId, fence: Fence, request: ReleaseRequest
    ) -> ReleaseAnswer:
        """Price and end the stay, or say why not; the same request gets the same answer."""
        read = request.read
        row = await self._database.row(
            "release",
            facility,
            fence,
            request.event,
            request.lane,
            request.stay,
            read.plate.text,
            storable(read.plate_raw),
            read.confidence,
            request.at,
            request.reason.value,
            *command_values(request.command),
            _match_value(request.matched),
            command_text(request.command),
            _facts_value(request.facts),
        )
        return ReleaseAnswer(
            outcome=ReleaseOutcome(row["outcome"]),
            zone=row["zone"],
            available=row["available"],
            spot_number=row["spot_number"] or "",
            price=money(row["price"], row["currency"]),
            due=money(row["due"], row["currency"]),
        )

    async def move_stay(
        self, facility: FacilityId, fence: Fence, request: MoveRequest
    ) -> MoveAnswer:
        """Claim a spot of another zone for the stay, or say why not; the same request gets the same
        answer."""
        read = request.read
        for attempt in range(1, REFEREE_ATTEMPTS_MAX + 1):
            try:
                row = await self._database.row(
                    "move_stay",
                    facility,
                    fence,
                    request.event,
                    request.lane,
                    request.stay,
                    request.zone,
                    request.anyway,
                    read.plate.text,
                    storable(read.plate_raw),
                    read.confidence,
                    request.at,
                    request.reason.value,
                    *command_values(request.command),
                    _match_value(request.matched),
                    command_text(request.command),
                    _facts_value(request.facts),
                    request.again,
                )
            except StoreError as error:
                if refusal(error) is None:
                    raise
                if attempt == REFEREE_ATTEMPTS_MAX:
                    available = await self._database.value("zone_available", request.zone)
                    return MoveAnswer(ZoneRefusal.FULL, available)
            else:
                return MoveAnswer(
                    outcome=_move_outcome(row["outcome"]),
                    available=row["available"],
                    zone=row["zone"],
                    spot=row["spot"],
                    spot_number=row["spot_number"] or "",
                )
        raise AssertionError("the last attempt answers or raises")

    async def deny(self, facility: FacilityId, fence: Fence, request: DenyRequest) -> bool:
        """True if recorded now, False if the event was settled before by another call."""
        read = request.read
        recorded: bool = await self._database.value(
            "deny",
            facility,
            fence,
            request.event,
            request.lane,
            request.reason.value,
            read and read.plate.text,
            read and storable(read.plate_raw),
            read and read.confidence,
            request.at,
            *command_values(request.command),
            command_text(request.command),
            _facts_value(request.facts),
            request.again,
        )
        return recorded

    async def ask_payment(self, facility: FacilityId, fence: Fence, request: AskRequest) -> bool:
        """True if recorded now; False if it was before, or the event was settled by another."""
        recorded: bool = await self._database.value(
            "ask_payment",
            facility,
            fence,
            request.event,
            request.lane,
            request.stay,
            request.plate.text,
            request.due.amount,
            request.due.currency,
            request.at,
            *command_values(request.command),
            command_text(request.command),
        )
        return recorded

    async def open_stays(self, facility: FacilityId) -> Sequence[StayInside]:
        """The stays with a plate whose vehicle is inside."""
        rows = await self._database.rows("open_stays", facility)
        return [
            StayInside(row["stay"], Plate(row["plate"]), row["entry_at"], row["zone"])
            for row in rows
        ]

    async def take_payment(
        self, facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> PaymentTakenAnswer:
        """Count it once, and settle its event; or leave it to the operator, with the reason."""
        row = await self._database.row(
            "take_payment", facility, fence, event, *_payment_values(payment)
        )
        return _payment_answer(row)

    async def give_up_payment(
        self, facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> bool:
        """Never count what this message tells of, and leave the money to the operator; False if it
        was decided before."""
        given_up: bool = await self._database.value(
            "give_up_payment", facility, fence, event, *_payment_values(payment)
        )
        return given_up

    async def payment_again(
        self, facility: FacilityId, fence: Fence, payment: PaymentTaken
    ) -> PaymentTakenAnswer | None:
        """What its message came to; None if it is unknown, or not decided yet."""
        rows = await self._database.rows(
            "payment_again", facility, fence, storable(payment.key), *_payment_values(payment)
        )
        return _payment_answer(rows[0]) if rows else None

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
        """The vehicle passed this lane: the stay's entry stands, or its exit is over."""
        await self._database.value(
            "complete_passage", facility, fence, stay, lane, known.value, at, correlation
        )

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
        available: int | None = await self._database.value(
            "cancel_admission", facility, fence, stay, lane, storable(reason), at, correlation
        )
        return available

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
        """The available spots of the zone that it is in again; None if nothing was to undo."""
        available: int | None = await self._database.value(
            "cancel_move", facility, fence, stay, lane, storable(reason), at, correlation
        )
        return available

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
        """Undo a release: the zone that the stay is in again; None if nothing was to undo."""
        zone: ZoneId | None = await self._database.value(
            "resume_stay", facility, fence, stay, lane, storable(reason), at, correlation
        )
        return zone


def _payment_values(payment: PaymentTaken) -> tuple[object, ...]:
    return (
        payment.id,
        storable_or_none(payment.ticket),
        storable_or_none(payment.plate),
        payment.amount,
        payment.currency,
        payment.provider,
        storable(payment.txn),
        payment.at,
    )


def _payment_answer(row: Record) -> PaymentTakenAnswer:
    return PaymentTakenAnswer(
        PaymentOutcome(row["outcome"]),
        row["ticket"] or "",
        money(row["due"], row["currency"]),
        row["grace_until"],
    )


def _admit_values(request: AdmitRequest) -> tuple[object, ...]:
    read = request.read
    return (
        request.event,
        request.lane,
        request.zone,
        request.stay,
        read and read.plate.text,
        read and storable(read.plate_raw),
        read and read.confidence,
        request.at,
        request.reason.value,
        request.vehicle,
        request.user,
        *command_values(request.command),
        *_entitlement_values(request.entitlement),
        command_text(request.command),
        _facts_value(request.facts),
        request.vacated,
        request.again,
    )


def _move_outcome(word: str) -> MoveOutcome | ZoneRefusal:
    return MoveOutcome(word) if word in set(MoveOutcome) else ZoneRefusal(word)


def _match_value(matched: Matched | None) -> str | None:
    """As the stay keeps it."""
    return None if matched is None else json.dumps({**asdict(matched), "plate": matched.plate.text})


def _facts_value(facts: FactsRecord | None) -> str | None:
    """As the decision keeps it; null if there is nothing to keep."""
    return json.dumps(facts) if facts else None


def _entitlement_values(entitlement: Entitlement | None) -> tuple[object, ...]:
    """The right's name, and the booking or the subscription that it is."""
    match entitlement:
        case None:
            return None, None, None
        case Entitlement(Right.RESERVATION, booking):
            return Right.RESERVATION.value, booking, None
        case Entitlement(right, subscription):
            return right.value, None, subscription


def command_values(command: Command | None) -> tuple[object, ...]:
    """What stands in the outbox; nulls where no command follows."""
    if command is None:
        return (*(None,) * 6, False)
    return (
        command.id,
        command.device,
        command.do.value,
        storable(command.reason),
        command.issued_at,
        command.expires_at,
        command.taken,
    )


def command_text(command: Command | None) -> str | None:
    """What its display shows."""
    return None if command is None else storable_or_none(command.text)


def _reservation(row: Record) -> Reservation | None:
    return None if row["booking"] is None else Reservation(row["booking"], row["booking_zone"])


def _open_stay(row: Record) -> OpenStay | None:
    if row["stay"] is None:
        return None
    return OpenStay(
        id=row["stay"],
        entry_at=row["entry_at"],
        zone=row["zone"],
        spot=row["spot"],
        spot_number=row["spot_number"] or "",
        ticket=row["ticket"],
        released=row["released"],
        group=Group(row["parker_group"]),
    )
