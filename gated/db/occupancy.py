"""What is asked about stays whose vehicle may be gone, and about vehicles that stand where they
should not: outcomes by name, answers.

Who asks is `gated.db.store_occupancy`; what each word means is said by the stored function.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gated.core.ids import StayId
from gated.core.money import Money
from gated.records import ZoneDrift


class CloseOutcome(StrEnum):
    """The named outcomes of `gate.close_stay_v1`."""

    CLOSED = "closed"
    STAY_UNKNOWN = "stay_unknown"
    STAY_ENDED = "stay_ended"
    USER_UNKNOWN = "user_unknown"
    NOT_PERMITTED = "not_permitted"
    REASON_MISSING = "reason_missing"


class PhantomOutcome(StrEnum):
    """The named outcomes of `gate.close_phantom_v1`."""

    CLOSED = "closed"
    STAY_ENDED = "stay_ended"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """An operator ends a stay whose vehicle is gone. `id` is drawn by the caller.

    `operator`: the name by which the broker knows him. With `debt` what was not paid stays due.
    """

    id: UUID
    stay: StayId
    operator: str
    reason: str
    at: datetime
    debt: bool = False


@dataclass(frozen=True, slots=True)
class CloseAnswer:
    """When the stay ended, its price, and what of it was not paid, where it is closed."""

    outcome: CloseOutcome
    ended_at: datetime | None = None
    price: Money | None = None
    remainder: Money | None = None


@dataclass(frozen=True, slots=True)
class PhantomStay:
    """An open stay that looks as if its vehicle were gone; `strength` and the kinds of evidence are
    words of `gate.judge_stays_v1`. It would end at `ended_at`."""

    stay: StayId
    ticket: str
    plate: str | None
    zone: str | None
    spot_number: str | None
    entry_at: datetime
    seen_at: datetime
    ended_at: datetime
    strength: str
    evidence: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Offence:
    """What stands where it should not; `violation` is None where nobody knows what it is."""

    kind: str
    violation: UUID | None
    stay: StayId | None
    zone: str | None
    spot_number: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class ZoneCounts:
    """The ways of counting a zone, by its slug; `sensed_at`: when the sensor said so."""

    zone: str
    drift: ZoneDrift
    sensed_at: datetime | None
