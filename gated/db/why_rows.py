"""Rows that tell of a vehicle at the barrier, as values, with the names of what they point at.

How they are found is in `gated.db.why`, what they mean together in `gated.why`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from gated.core.ids import FacilityId
from gated.core.site import DeviceSetup

DAY = timedelta(days=1)
# How long before a read and after the last that is known of it its lane is listened to.
BEFORE = timedelta(seconds=20)
AFTER = timedelta(seconds=2)
EPISODE_MAX = timedelta(minutes=10)
# How long before that its notes are looked for: a fault may have been there already.
NOTED_BEFORE = timedelta(minutes=10)
# How long a driver may wait for help: what operators do at the lane meanwhile is told as his.
HELP_AWAITED = timedelta(minutes=5)
UNGRANTED = "passage.ungranted"
ASKED = "payment.asked"
OPENED = "operator.open"
# Acts that stand until another one ends them: of a lane, of a facility.
_BEGINS = {
    "operator.hold": "lane",
    "operator.lane_close": "lane",
    "operator.evacuate": "facility",
}
_ENDS = {
    "operator.release": "lane",
    "operator.lane_open": "lane",
    "operator.resume": "facility",
}

ACTIVE, CONFIRMED, PENDING, COMPLETED = "ACTIVE", "CONFIRMED", "PENDING", "COMPLETED"


@dataclass(frozen=True, slots=True)
class Facility:
    id: FacilityId
    slug: str
    name: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Stay:
    """A booking, with the names of what it points at. `vehicle_plate`: as registered today.

    `closed_reason`: why it was ended though nobody saw its vehicle leave.
    """

    id: UUID
    facility: FacilityId
    ticket: str
    kind: str
    status: str
    plate: str | None
    vehicle_plate: str | None
    vehicle: UUID | None
    user: UUID | None
    created_at: datetime
    entry_at: datetime
    expected_exit: datetime | None
    exit_at: datetime | None
    reserved_from: datetime | None
    reserved_until: datetime | None
    entitlement: str | None
    cancel_reason: str | None
    entry_lane: str | None
    exit_lane: str | None
    entry_known: str | None
    exit_known: str | None
    zone: str | None
    spot: str | None
    tariff: str | None
    estimated_price: Decimal | None
    final_price: Decimal | None
    currency: str
    paid_at: datetime | None
    grace_until: datetime | None
    context: Mapping[str, Any]
    price_lines: tuple[Mapping[str, Any], ...]
    closed_reason: str | None = None

    @property
    def open(self) -> bool:
        """Whether something may still happen to it at the barrier."""
        return self.status in (PENDING, CONFIRMED, ACTIVE)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """From its making on, and a day around: when anything about it can have been written."""
        begun = [self.created_at, self.entry_at, self.reserved_from]
        ended = [self.created_at, self.entry_at, self.exit_at]
        if self.open:
            ended.append(now)
        elif self.exit_at is None:
            ended += [self.expected_exit, self.reserved_until]
        return min(filter(None, begun)) - DAY, max(filter(None, ended)) + DAY

    def inside(self, now: datetime) -> tuple[datetime, datetime] | None:
        """While its vehicle was inside, where it was, or is."""
        if self.status == ACTIVE:
            return self.entry_at, now + DAY
        return None if self.exit_at is None else (self.entry_at, self.exit_at)

    def visits(self, now: datetime) -> tuple[datetime, datetime]:
        """When its vehicle can have been at a barrier for it."""
        since = min(filter(None, (self.entry_at, self.reserved_from)))
        return since - DAY, self.period(now)[1]


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, with the names of what it points at. `facts`: what it rests on, as
    `gated.core.facts` writes it; None of one that is older than that."""

    id: UUID
    facility: FacilityId
    lane_id: UUID
    lane: str
    direction: str | None
    event: UUID
    decision: str
    reason: str
    plate: str | None
    plate_raw: str | None
    confidence: float | None
    stay: UUID | None
    zone: str | None
    spot: str | None
    price: Decimal | None
    currency: str | None
    command: UUID | None
    received_at: datetime
    decided_at: datetime
    facts: Mapping[str, Any] | None = None
    fence_waited_ms: float | None = None
    lock_waited_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the inbox. `seq` is the order of arrival."""

    id: UUID
    seq: int
    facility: FacilityId
    lane_id: UUID | None
    lane: str | None
    device: UUID | None
    kind: str
    topic: str
    payload: bytes
    status: str
    outcome: str | None
    error: str | None
    device_at: datetime | None
    received_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the outbox."""

    id: UUID
    facility: FacilityId
    lane_id: UUID
    lane: str
    device: str
    event: UUID
    do: str
    reason: str
    stay: UUID | None
    price: Decimal | None
    currency: str | None
    fence: int
    status: str
    issued_at: datetime
    expires_at: datetime
    dispatched_at: datetime | None
    acknowledged_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    error: str | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """A row of `audit_logs`. `role` is what the user's account is to the platform."""

    id: UUID
    at: datetime
    action: str
    resource_type: str
    resource: UUID | None
    actor: str
    user: UUID | None
    role: str | None
    correlation: UUID | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Payment:
    id: UUID
    booking: UUID
    amount: Decimal
    refunded: Decimal
    currency: str
    provider: str
    status: str
    txn: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RefusedPayment:
    """Money that does not count; `details` are the reconciliation's, `resolution` how somebody
    settled it."""

    id: UUID
    details: Mapping[str, object]
    created_at: datetime
    resolved_at: datetime | None
    resolution: str | None


@dataclass(frozen=True, slots=True)
class Refund:
    id: UUID
    payment: UUID
    amount: Decimal
    reason: str
    txn: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Violation:
    id: UUID
    facility: FacilityId
    booking: UUID | None
    kind: str
    penalty: Decimal
    currency: str | None
    status: str
    at: datetime
    plate: str | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LaneNote:
    """Something that was noted of a lane: a fault, a change of its mode, a notice."""

    id: UUID
    lane: str
    at: datetime
    name: str
    detail: str
    event: UUID | None


@dataclass(frozen=True, slots=True)
class Acted:
    """That an operator did something at a lane, or to its facility: `correlation` has the rest."""

    at: datetime
    action: str
    correlation: UUID


def effective(acts: Iterable[Acted], since: datetime) -> list[Acted]:
    """Those from then on; and of those before it the last of each kind that stood still."""
    standing: dict[str, Acted] = {}
    later: list[Acted] = []
    for act in acts:
        if act.at >= since:
            later.append(act)
        elif act.action in _BEGINS:
            standing[_BEGINS[act.action]] = act
        elif act.action in _ENDS:
            standing.pop(_ENDS[act.action], None)
    return [*standing.values(), *later]


@dataclass(frozen=True, slots=True)
class Charge:
    """What an open stay costs if it ends now; or `refusal`, why that cannot be told."""

    amount: Decimal = Decimal(0)
    currency: str = ""
    lines: tuple[Mapping[str, Any], ...] = ()
    due: Decimal = Decimal(0)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found, each kind in the order of time.

    `messages` are those that were decided about or asked for; `heard` is what else came from
    their lanes meanwhile, of other vehicles too. `undecided` are reads of any plate in the period
    that led to nothing. `notes` are those of the lane of a message, around it, and `operated` what
    operators did there when its vehicle may have been there: of other vehicles too. `zones` are
    the names of zones, `tickets` those of the stays in whose opening somebody passed. `left_out`
    visits were found and are not here; `decisions_cut`: nor are the older decisions about the
    plate; of the lanes `lanes_cut` the reads were too many to look through.
    """

    facilities: tuple[Facility, ...] = ()
    devices: Mapping[UUID, DeviceSetup] = field(default_factory=dict)
    stays: tuple[Stay, ...] = ()
    decisions: tuple[Decision, ...] = ()
    messages: tuple[Message, ...] = ()
    heard: tuple[Message, ...] = ()
    undecided: tuple[Message, ...] = ()
    commands: tuple[Command, ...] = ()
    audits: tuple[Audit, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    refused: tuple[RefusedPayment, ...] = ()
    violations: tuple[Violation, ...] = ()
    notes: Mapping[UUID, tuple[LaneNote, ...]] = field(default_factory=dict)
    operated: Mapping[UUID, tuple[Acted, ...]] = field(default_factory=dict)
    zones: Mapping[UUID, str] = field(default_factory=dict)
    tickets: Mapping[UUID, str] = field(default_factory=dict)
    charges: Mapping[UUID, Charge] = field(default_factory=dict)
    left_out: int = 0
    decisions_cut: bool = False
    lanes_cut: frozenset[str] = frozenset()

    def episodes(self) -> dict[UUID, "Episode"]:
        """When which lane was about which message: around it, to the last that came of it."""
        last: dict[UUID, datetime] = {}
        for audit in self.audits:
            if audit.correlation is not None:
                last[audit.correlation] = max(audit.at, last.get(audit.correlation, audit.at))
        return {
            message.id: Episode(
                message.lane_id, began - BEFORE, began, min(ended, began + EPISODE_MAX)
            )
            for message in self.messages
            if message.lane_id is not None
            for began in [message.received_at]
            for ended in [max(last.get(message.id, began), began) + AFTER]
        }

    def noted(self) -> dict[UUID, "Span"]:
        """When which lane's notes concern which message: the episodes, some time before, and the
        passages that nobody granted."""
        spans = {
            event: Span(one.lane, one.since - NOTED_BEFORE, one.until)
            for event, one in self.episodes().items()
        }
        return self._ungranted() | spans

    def operable(self) -> dict[UUID, "Span"]:
        """When which lane's operators may have acted on the vehicle of which message, at most:
        around it, as long after a refusal or a price as a driver may wait for help, and as long
        before a passage that nobody granted."""
        episodes = self.episodes()
        denied = {one.event for one in self.decisions if one.decision == "deny"}
        denied |= {
            one.correlation
            for one in self.audits
            if one.action == ASKED and one.correlation is not None
        }
        spans = {event: Span(one.lane, one.since, one.until) for event, one in episodes.items()}
        for event in episodes.keys() & denied:
            one = episodes[event]
            spans[event] = Span(one.lane, one.since, max(one.until, one.began + HELP_AWAITED))
        for event, passed in self._ungranted().items():
            since = passed.until - AFTER - HELP_AWAITED
            spans[event] = Span(passed.lane, since, passed.until)
        return spans

    def _ungranted(self) -> dict[UUID, "Span"]:
        """The passages that nobody granted: their lanes around that instant."""
        spans: dict[UUID, Span] = {}
        for audit in self.audits:
            if audit.action == UNGRANTED and audit.correlation is not None:
                try:
                    lane = UUID(str(audit.details.get("lane")))
                except ValueError:
                    continue
                span = Span(lane, audit.at - NOTED_BEFORE, audit.at + AFTER)
                spans.setdefault(audit.correlation, span)
        return spans


@dataclass(frozen=True, slots=True)
class Span:
    """A lane for a time."""

    lane: UUID
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """A lane while it was about one message, which came at `began`."""

    lane: UUID
    since: datetime
    began: datetime
    until: datetime
