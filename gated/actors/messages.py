"""What the actors of one facility tell and ask each other."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from gated.actors.reply import Reply
from gated.core.events import LaneEvent, OperateOutcome, Request
from gated.core.ids import EventId, LaneId, StayId
from gated.records import (
    AdmitAnswer,
    AdmitRequest,
    Asked,
    FacilityFact,
    InboxRow,
    MoveAnswer,
    MoveRequest,
    PaymentTaken,
    ReleaseAnswer,
    ReleaseRequest,
    SensorWord,
    SpotSeen,
    ZoneCounted,
)


@dataclass(frozen=True, slots=True)
class ForLane:
    """An event for one lane: from the inbox, a timer, the relay, or the lane's own work.

    `delivery` is the inbox row it came from, so that a row handed over twice counts once.
    """

    lane: LaneId
    event: LaneEvent
    delivery: tuple[EventId, int] | None = None


@dataclass(frozen=True, slots=True)
class PaymentHere:
    """A terminal took a payment for some stay of the facility."""

    event: EventId
    payment: PaymentTaken


@dataclass(frozen=True, slots=True)
class PaymentAgain:
    """The same message of a payment came once more: it is answered, and not counted, a second time.

    `event` is of this delivery, of which no row is kept.
    """

    event: EventId
    payment: PaymentTaken


@dataclass(frozen=True, slots=True)
class SensorHere:
    """A sensor of a zone or of a spot said what it sees, at `heard_at` by our clock."""

    event: EventId
    word: SensorWord
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class OperatorHere:
    """An operator asks for something. `refusal`: the request lacks what its act needs."""

    event: EventId
    received_at: datetime
    request: Request
    refusal: OperateOutcome | None = None


@dataclass(frozen=True, slots=True)
class OperatorAgain:
    """The same request came once more: it is answered, and not done, a second time."""

    key: str
    request: Request


@dataclass(frozen=True, slots=True)
class LivenessDue:
    """It is time to look which devices have fallen silent."""


@dataclass(frozen=True, slots=True)
class RefusedDue:
    """It is time to look whether those may pass by now who stand refused."""


FacilityMessage = (
    ForLane
    | PaymentHere
    | PaymentAgain
    | SensorHere
    | OperatorHere
    | OperatorAgain
    | LivenessDue
    | RefusedDue
)


def for_facility(row: InboxRow, fact: FacilityFact) -> FacilityMessage:
    """What the facility is told of a stored message that is for no lane."""
    match fact:
        case PaymentTaken():
            return PaymentHere(row.id, fact)
        case ZoneCounted() | SpotSeen():
            return SensorHere(row.id, fact, row.received_at)
        case Asked(_, request, refusal):
            return OperatorHere(row.id, row.received_at, request, refusal)
        case _:
            assert_never(fact)


@dataclass(frozen=True, slots=True)
class AdmitHere:
    """Asks a zone for one of its spots."""

    request: AdmitRequest
    reply: Reply[AdmitAnswer]


@dataclass(frozen=True, slots=True)
class ReleaseHere:
    """Asks a zone to end a stay and take its spot back."""

    request: ReleaseRequest
    reply: Reply[ReleaseAnswer]


@dataclass(frozen=True, slots=True)
class MoveHere:
    """Asks a zone for one of its spots, for a stay that is in another zone."""

    request: MoveRequest
    reply: Reply[MoveAnswer]


@dataclass(frozen=True, slots=True)
class CancelHere:
    """Asks a zone to undo an admission whose vehicle never came in."""

    stay: StayId
    lane: LaneId
    reason: str
    at: datetime
    correlation: UUID
    reply: Reply[None]


@dataclass(frozen=True, slots=True)
class CancelMoveHere:
    """Asks a zone to give a stay back to the zone it came from: its vehicle never passed."""

    stay: StayId
    lane: LaneId
    reason: str
    at: datetime
    correlation: UUID
    reply: Reply[None]


@dataclass(frozen=True, slots=True)
class Recount:
    """Tells a zone to count itself anew in the database: somebody else may have written."""


ZoneQuestion = AdmitHere | ReleaseHere | MoveHere | CancelHere | CancelMoveHere
ZoneMessage = ZoneQuestion | Recount
