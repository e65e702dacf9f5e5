"""What waits for somebody at a facility, as values: contradictions, offences, debts, and stays
whose vehicles left unseen.

Who asks is `gated.db.store_review`; what each outcome means is said by the stored function.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gated.core.ids import StayId
from gated.core.money import Money


class ResolveOutcome(StrEnum):
    """The named outcomes of `gate.resolve_reconciliation_v1`."""

    RESOLVED = "resolved"
    RESOLVED_BEFORE = "resolved_before"
    UNKNOWN = "unknown"
    REASON_MISSING = "reason_missing"


class ResetOutcome(StrEnum):
    """The named outcomes of `gate.reset_passback_v1`."""

    RESET = "reset"
    FACILITY_UNKNOWN = "facility_unknown"
    REASON_MISSING = "reason_missing"


class SettleOutcome(StrEnum):
    """The named outcomes of `gate.settle_unseen_v1`."""

    SETTLED = "settled"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_ENDED = "booking_ended"
    CAME_LATER = "came_later"
    SEEN_SINCE = "seen_since"
    REASON_MISSING = "reason_missing"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A contradiction; `lane` and `ticket` are the names of what `details` points at, `names` those
    of other stays and zones by their ids."""

    id: UUID
    kind: str
    at: datetime
    lane: str | None
    ticket: str | None
    details: Mapping[str, object]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Offence:
    """A violation with its penalty; `lane` is that of the evidence, `ticket` the stay's, `names`
    are those of other stays and zones in the evidence by their ids."""

    id: UUID
    kind: str
    at: datetime
    plate: str | None
    penalty: Decimal
    currency: str
    status: str
    lane: str | None
    ticket: str | None
    evidence: Mapping[str, object]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Debt:
    """What an ended stay still owes."""

    stay: StayId
    ticket: str
    plate: str | None
    entry_at: datetime
    exit_at: datetime
    price: Money
    paid: Money
    due: Money


@dataclass(frozen=True, slots=True)
class UnseenStay:
    """An open stay whose vehicle has not been seen inside since some instant.

    `seen_at` is when its plate was last seen at all, `seen` by what: entry, payment, command, read.
    """

    stay: StayId
    ticket: str
    plate: str | None
    entry_at: datetime
    entry_lane: str | None
    zone: str | None
    spot: str | None
    seen_at: datetime
    seen: str
    seen_lane: str | None


@dataclass(frozen=True, slots=True)
class Evacuation:
    """When it began and ended; `until` is None while it lasts."""

    since: datetime
    until: datetime | None
