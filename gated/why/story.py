"""A story as a value: what happened to one vehicle, step by step, and how it ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gated.db.why_rows import Facility, Stay
from gated.desk.receipt import Bill


class Kind(StrEnum):
    """What sort of step it is; of steps at one instant the earlier ones here come first."""

    BOOKING = "booking"
    READ = "read"
    MESSAGE = "message"
    NOTE = "note"
    DECISION = "decision"
    COMMAND = "command"
    PASSAGE = "passage"
    CANCELLATION = "cancellation"
    PAYMENT = "payment"
    REFUND = "refund"
    VALIDATION = "validation"
    VIOLATION = "violation"
    ACT = "act"


class About(StrEnum):
    """What a story is about: a stay or reservation, denials, messages or an offence."""

    STAY = "stay"
    DENIAL = "denial"
    MESSAGE = "message"
    VIOLATION = "violation"


class Tone(StrEnum):
    """How a reader should take it."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. `since`: when the message came that led to it, for latencies.

    `said` and `notes` are for people, `facts` for machines. `by` is who did it, where it was not
    gated. `event` is the message that it tells, `correlation` is shared by all that one led to.
    """

    at: datetime
    kind: Kind
    said: str
    notes: tuple[str, ...] = ()
    lane: str = ""
    tone: Tone = Tone.PLAIN
    since: datetime | None = None
    by: str = ""
    correlation: UUID | None = None
    event: UUID | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """`verdict` is the end in one sentence; `head` what should be known first, with its labels.

    `bill` is the price line by line, as it was frozen or up to now.
    """

    about: About
    facility: Facility
    plate: str | None
    verdict: str
    tone: Tone
    steps: tuple[Step, ...]
    head: tuple[tuple[str, str], ...] = ()
    stay: Stay | None = None
    bill: Bill | None = None

    @property
    def at(self) -> datetime:
        """When it begins."""
        return self.steps[0].at if self.steps else _begun(self.stay)


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """By time, and of one instant in the order of `Kind`."""
    kinds = list(Kind)
    return tuple(sorted(steps, key=lambda step: (step.at, kinds.index(step.kind))))


def _begun(stay: Stay | None) -> datetime:
    assert stay is not None, "a story without a stay has steps"
    return min(stay.entry_at, stay.created_at)
