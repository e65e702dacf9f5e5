"""What a decision wants done. Only `gated.actors.perform` carries these out.

`facts` are what a verdict rests on, for its record: they are no part of what is to be done.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gated.core.events import Cause, CommandStatus, PlateRead, Request, TimerName
from gated.core.facts import Facts
from gated.core.ids import CommandId, EventId, StayId, ZoneId
from gated.core.matching import Near
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.snapshot import Entitlement, Matched, OpenStay


class FreeKind(StrEnum):
    """How a vehicle came through that nobody granted passage.

    `held`: the lane was held open. `operator`: opened once by hand. `tailgating`: in the opening of
    another. `forced_barrier`: the arm was down. `exit_without_payment`: asked to pay, and gone.
    `unexplained`: it stood there, was refused or not read, and is through; nobody knows how.
    """

    HELD = "held"
    OPERATOR = "operator"
    EVACUATION = "evacuation"
    TAILGATING = "tailgating"
    FORCED_BARRIER = "forced_barrier"
    EXIT_WITHOUT_PAYMENT = "exit_without_payment"
    UNEXPLAINED = "unexplained"

    @property
    def offence(self) -> bool:
        """Whether it is a violation of the same name."""
        return self in (
            FreeKind.TAILGATING,
            FreeKind.FORCED_BARRIER,
            FreeKind.EXIT_WITHOUT_PAYMENT,
        )


class Fault(StrEnum):
    """What is wrong with a lane's hardware, until it shows the contrary."""

    ARM_STUCK = "arm_stuck"
    ARM_FORCED = "arm_forced"
    ARM_NOT_CLOSED = "arm_not_closed"
    PRESENCE_LOOP_STUCK = "presence_loop_stuck"
    CLOSING_LOOP_STUCK = "closing_loop_stuck"
    CLOSING_LOOP_SILENT = "closing_loop_silent"
    CAMERA_SILENT = "camera_silent"
    DEVICE_OFFLINE = "device_offline"


class Do(StrEnum):
    """The commands of the topic contract."""

    OPEN = "open"
    DENY = "deny"
    CLOSE = "close"
    HOLD = "hold"
    RELEASE = "release"


class PassageKnown(StrEnum):
    """How a passage is known: seen by the closing loop, told by the arm, or only assumed."""

    MEASURED = "measured"
    REPORTED = "reported"
    ASSUMED = "assumed"


class Outcome(StrEnum):
    """What became of an inbox row. `told_before`: another one told of the same payment."""

    DECIDED = "decided"
    NOTED = "noted"
    FOLDED = "folded"
    IGNORED = "ignored"
    SUPERSEDED = "superseded"
    UNEXPECTED = "unexpected"
    TOLD_BEFORE = "told_before"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Gather what is known about the plate, of None what holds of the facility alone.

    Answers `SnapshotTaken` or `DecisionFailed`.
    """

    cause: Cause
    plate: Plate | None


@dataclass(frozen=True, slots=True)
class TakeOpenStays:
    """Gather the stays that are open here. Answers `OpenStaysTaken` or `DecisionFailed`."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Admit:
    """Claim a spot of the zone, open the stay, commit the open command, in one transaction.

    Not begun after `valid_until`: whoever stood there may be gone by then. `read` is None for a
    vehicle that comes in on a ticket, its plate unknown; `again` is the stay that such a vehicle
    was granted before and has not begun: it is not given a second one.
    Answers `Admitted`, `ZoneRefused`, `AlreadyInside`, `RightGone`, `DecidedBefore` or
    `DecisionFailed`.
    """

    cause: Cause
    read: PlateRead | None
    zone: ZoneId
    reason: GrantReason
    vehicle: UUID | None
    user: UUID | None
    entitlement: Entitlement | None
    valid_until: datetime
    again: StayId | None = None
    facts: Facts | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Release:
    """Price and end the stay, free its spot, commit the open command, in one transaction.

    Not begun after `valid_until`. The stay ends at `at`: None means when its vehicle was read.
    `matched` if the read is not the plate of the stay.
    Answers `Released`, `NoOpenStay`, `DecidedBefore` or `DecisionFailed`.
    """

    cause: Cause
    read: PlateRead
    stay: OpenStay
    reason: GrantReason
    valid_until: datetime
    at: datetime | None = None
    matched: Matched | None = None
    facts: Facts | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Move:
    """Claim a spot of the zone for a stay that is open in another one, give its earlier spot back,
    commit the open command, in one transaction.

    Not begun after `valid_until`. `anyway`: let it on whatever the zone and its limits say; without
    a spot there, an operator is told. `matched` if the read is not the plate of the stay.
    Answers `Moved`, `ZoneRefused`, `NoOpenStay`, `DecidedBefore` or `DecisionFailed`.
    """

    cause: Cause
    read: PlateRead
    stay: OpenStay
    zone: ZoneId
    reason: GrantReason
    valid_until: datetime
    anyway: bool = False
    matched: Matched | None = None
    facts: Facts | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Deny:
    """Record the denial; `show` also sends it to the lane's display, and answers `DenialShown`."""

    cause: Cause
    reason: DenyReason
    read: PlateRead | None
    show: bool
    facts: Facts | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AskPayment:
    """Show the driver what is due: a `rest` if some of the price is paid.

    Decides nothing yet; answers `DenialShown` if it is shown.
    """

    cause: Cause
    read: PlateRead
    stay: OpenStay
    due: Money
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Operate:
    """Do what an operator asks of the lane, if he may: mode, audit and command in one transaction.

    `do` is the barrier's command that follows, if one does; `read` what was read of the vehicle
    that a match is about, or an opening from inside; `near` the stays that it may have where a
    match names none: for the answer to who may match. Answers `Operated`, and the operator.
    """

    cause: Cause
    request: Request
    do: Do | None
    read: PlateRead | None = None
    near: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletePassage:
    """The vehicle went through: an entry stands, an exit is over."""

    stay: StayId
    known: PassageKnown
    correlation: UUID


@dataclass(frozen=True, slots=True)
class CancelAdmission:
    """The vehicle never came in (backed out, or the arm never opened): undo the admission."""

    stay: StayId
    zone: ZoneId
    reason: str
    correlation: UUID


@dataclass(frozen=True, slots=True)
class PassFreely:
    """A vehicle is through that nobody granted passage: keep the books right all the same.

    `read` if it is known which, `after` the stay in whose opening it came. `request` if an
    operator let it through. `cause` is what showed the passage, `known` how well: the closing loop
    measures; where there is none, a read or the vehicle's leaving the barrier lets it be assumed.
    """

    cause: Cause
    kind: FreeKind
    read: PlateRead | None = None
    after: StayId | None = None
    request: Request | None = None
    known: PassageKnown = PassageKnown.MEASURED


@dataclass(frozen=True, slots=True)
class SendCommand:
    """A command beside a decision: the arm asked once more, a display told, an exit held open.

    Of a grant that stands, with its `stay`, or of none. Not begun after `valid_until`. Answers
    `CommandSent`.
    """

    event: EventId
    do: Do
    reason: str
    stay: StayId | None = None
    plate: Plate | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefuseOperation:
    """The lane is in no state for it: record that, and tell the operator."""

    cause: Cause
    request: Request


@dataclass(frozen=True, slots=True)
class Evacuate:
    """The fire input is on: the whole facility opens its exits and shuts its entries."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class NoteFault:
    """A fault began or ended: for the record, the metric and the log."""

    fault: Fault
    on: bool
    at: datetime
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class CancelMove:
    """The vehicle never passed into the zone: its stay goes on where it was."""

    stay: StayId
    zone: ZoneId
    reason: str
    correlation: UUID


@dataclass(frozen=True, slots=True)
class ResumeStay:
    """The vehicle never passed the exit: its stay goes on, and is priced anew when it leaves."""

    stay: StayId
    reason: str
    correlation: UUID


@dataclass(frozen=True, slots=True)
class NoteCommand:
    """The hardware answered a command: move it on in the outbox."""

    command: CommandId
    status: CommandStatus
    error: str | None


@dataclass(frozen=True, slots=True)
class Settle:
    """The inbox row needs nothing more."""

    cause: Cause
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Run (or run anew) the lane's timer of this name."""

    name: TimerName
    token: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop the lane's timer of this name, if it runs."""

    name: TimerName


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an operator should see, though nothing is done about it: logged, counted, kept.

    `shown` is the detail as a log may hold it, where that names plates: masked.
    """

    name: str
    cause: Cause | None = None
    detail: str = ""
    shown: str | None = None


DurableEffect = (
    TakeSnapshot
    | TakeOpenStays
    | Admit
    | Release
    | Move
    | Deny
    | AskPayment
    | Operate
    | CompletePassage
    | CancelAdmission
    | CancelMove
    | ResumeStay
    | PassFreely
    | SendCommand
    | RefuseOperation
    | Evacuate
    | NoteFault
    | Notice
    | NoteCommand
    | Settle
)
Effect = DurableEffect | StartTimer | StopTimer
